export { type Mail, type Mailer, oneLine } from './mail.ts';
export { createMailer, type MailSettings } from './mail-client.ts';
