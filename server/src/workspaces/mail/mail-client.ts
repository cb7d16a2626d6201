/** The network under mails: SMTP by nodemailer, one connection a mail. */
import { once } from '#kernel';
import type { Mailer } from './mail.ts';

export interface MailSettings {
  /** `smtp://user:password@host:587`, `smtps://…` for TLS from the start. */
  readonly smtpUrl: string;
  readonly from: string;
}

const mailTimeouts = { connectionTimeout: 5_000, greetingTimeout: 5_000, socketTimeout: 10_000 } as const;

export function createMailer({ smtpUrl, from }: MailSettings): Mailer {
  const open = once(() => openTransport(smtpUrl));
  return {
    async send(to, { subject, text }) {
      const transport = await open();
      await transport.sendMail({ from, to: { name: '', address: to }, subject, text });
    },
  };
}

/** No file and no URL may be read into a mail, whatever its text says. */
async function openTransport(url: string) {
  const { createTransport } = await import('nodemailer');
  return createTransport({ url, ...mailTimeouts, disableFileAccess: true, disableUrlAccess: true });
}
