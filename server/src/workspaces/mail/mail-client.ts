/** The network under mails: SMTP by nodemailer, one connection a mail. */
import { createTransport } from 'nodemailer';
import type { Mailer } from './mail.ts';

export interface MailSettings {
  /** `smtp://user:password@host:587`, `smtps://…` for TLS from the start. */
  readonly smtpUrl: string;
  readonly from: string;
}

const mailTimeouts = { connectionTimeout: 5_000, greetingTimeout: 5_000, socketTimeout: 10_000 } as const;

export function createMailer({ smtpUrl, from }: MailSettings): Mailer {
  // No file and no URL may be read into a mail, whatever its text says.
  const transport = createTransport({
    url: smtpUrl,
    ...mailTimeouts,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send(to, { subject, text }) {
      await transport.sendMail({ from, to: { name: '', address: to }, subject, text });
    },
  };
}
