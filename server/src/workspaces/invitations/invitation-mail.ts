/** The mail of an invitation, in the workspace's language. Pure. */
import type { MemberRole, WorkspaceLanguage } from '@switchyard/contract';
import { type Mail, oneLine } from '../mail/index.ts';

interface Words {
  readonly subject: (workspace: string) => string;
  readonly invited: (workspace: string, role: string) => string;
  readonly join: string;
  readonly ends: (day: string) => string;
  /** For who expects no such mail. */
  readonly ignore: string;
  readonly roles: Readonly<Record<MemberRole, string>>;
}

const words: Readonly<Record<WorkspaceLanguage, Words>> = {
  en: {
    subject: (workspace) => `Invitation to ${workspace}`,
    invited: (workspace, role) => `You are invited to join ${workspace} as ${role}.`,
    join: 'Open this link to join. It works once, and it is yours alone:',
    ends: (day) => `It works until ${day}.`,
    ignore: 'If you expected no invitation, do nothing: without the link nobody joins.',
    roles: { owner: 'owner', admin: 'admin', agent: 'agent', viewer: 'viewer' },
  },
  es: {
    subject: (workspace) => `Invitación a ${workspace}`,
    invited: (workspace, role) => `Le invitan a unirse a ${workspace} con el papel de ${role}.`,
    join: 'Abra este enlace para unirse. Sirve una sola vez y es solo para usted:',
    ends: (day) => `Sirve hasta el ${day}.`,
    ignore: 'Si no esperaba una invitación, no haga nada: sin el enlace nadie se une.',
    roles: { owner: 'propietario', admin: 'administrador', agent: 'agente', viewer: 'lector' },
  },
  pt: {
    subject: (workspace) => `Convite para ${workspace}`,
    invited: (workspace, role) => `Você foi convidado a entrar em ${workspace} com o papel de ${role}.`,
    join: 'Abra este link para entrar. Ele serve uma única vez e é só seu:',
    ends: (day) => `Ele serve até ${day}.`,
    ignore: 'Se não esperava um convite, não faça nada: sem o link ninguém entra.',
    roles: { owner: 'proprietário', admin: 'administrador', agent: 'agente', viewer: 'leitor' },
  },
  fr: {
    subject: (workspace) => `Invitation à rejoindre ${workspace}`,
    invited: (workspace, role) => `Vous êtes invité à rejoindre ${workspace} avec le rôle : ${role}.`,
    join: 'Ouvrez ce lien pour entrer. Il ne sert qu’une fois et n’est que pour vous :',
    ends: (day) => `Il est valable jusqu’au ${day}.`,
    ignore: 'Si vous n’attendiez pas d’invitation, ne faites rien : sans le lien, personne n’entre.',
    roles: { owner: 'propriétaire', admin: 'administrateur', agent: 'agent', viewer: 'lecteur' },
  },
  ar: {
    subject: (workspace) => `دعوة إلى ${workspace}`,
    invited: (workspace, role) => `أنت مدعو للانضمام إلى ${workspace} بدور: ${role}.`,
    join: 'افتح هذا الرابط للانضمام. يعمل مرة واحدة وهو لك وحدك:',
    ends: (day) => `يعمل حتى ${day}.`,
    ignore: 'إن لم تكن تنتظر دعوة فلا تفعل شيئًا: لا ينضم أحد بدون الرابط.',
    roles: { owner: 'مالك', admin: 'مدير', agent: 'وكيل', viewer: 'مشاهد' },
  },
  he: {
    subject: (workspace) => `הזמנה אל ${workspace}`,
    invited: (workspace, role) => `הוזמנת להצטרף אל ${workspace} בתפקיד: ${role}.`,
    join: 'יש לפתוח את הקישור הזה כדי להצטרף. הוא פועל פעם אחת והוא רק שלך:',
    ends: (day) => `הוא פועל עד ${day}.`,
    ignore: 'אם לא ציפית להזמנה, אין צורך לעשות דבר: בלי הקישור איש אינו מצטרף.',
    roles: { owner: 'בעלים', admin: 'מנהל', agent: 'נציג', viewer: 'צופה' },
  },
};

/** Western digits in every language, as in the console: the link's are too. */
const numbering: Readonly<Partial<Record<WorkspaceLanguage, string>>> = { ar: 'ar-u-nu-latn' };

export interface InvitationMailFacts {
  readonly workspace: { readonly name: string; readonly language: WorkspaceLanguage; readonly timeZone: string };
  readonly role: MemberRole;
  readonly expiresAt: Date;
  readonly link: string;
}

export function invitationMail({ workspace, role, expiresAt, link }: InvitationMailFacts): Mail {
  const { language, timeZone } = workspace;
  const name = oneLine(workspace.name);
  const { subject, invited, join, ends, ignore, roles } = words[language];
  const day = new Intl.DateTimeFormat(numbering[language] ?? language, {
    dateStyle: 'full',
    timeStyle: 'short',
    timeZone,
  }).format(expiresAt);
  const text = [invited(name, roles[role]), `${join}\n${link}`, `${ends(`${day} (${timeZone})`)}\n${ignore}`];
  return { subject: subject(name), text: `${text.join('\n\n')}\n` };
}
