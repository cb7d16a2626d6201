/** The door of mails: alarms and invitations leave by it. */
export interface Mail {
  readonly subject: string;
  readonly text: string;
}

export interface Mailer {
  /** Rejects when the server of mail did not take it. */
  send(to: string, mail: Mail): Promise<void>;
}

/** Names are chosen by people: a line break in one must not begin a header of its own. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f\u2028\u2029]+/g, ' ');
}
