import type { Failure } from '@switchyard/contract';
import { type MemberRole, memberRoles, toPublicId } from '@switchyard/contract';
import type { Command } from 'commander';
import type { Result } from '#kernel';
import type { By, Invitation, Person, Workspace } from '#workspaces';
import { type CliDeps, type CliProduct, loadWorkspace } from '../deps.ts';
import { CommandFailed, WrongUse } from '../failures.ts';
import { type Shown, show, table } from '../output.ts';

interface OfWorkspace extends Shown {
  readonly workspace: string;
}

/** Who has the command line has the database: they act as an owner would. */
const by: By = { actor: 'cli', role: 'owner' };

export function addMember(program: Command, deps: CliDeps): void {
  const member = program
    .command('member')
    .description('people of a workspace')
    .addHelpText('after', '\nExample: switchyard member invite ana@example.com --workspace demo --role agent');
  addList(member, deps);
  addInvite(member, deps);
  addResend(member, deps);
  addRole(member, deps);
  addRemove(member, deps);
  addForget(member, deps);
}

function addList(member: Command, deps: CliDeps): void {
  member
    .command('list')
    .description('members, by name')
    .requiredOption('--workspace <id or slug>', 'of which workspace')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard member list --workspace demo')
    .action((options: OfWorkspace) =>
      deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const members = (await product.workspaces.listMembers(workspace.id)).map(({ id, email, name, role }) => ({
          id: toPublicId('person', id),
          email,
          name,
          role,
        }));
        show(deps.output, options, { members }, () =>
          table(
            ['id', 'e-mail', 'name', 'role'],
            members.map((one) => [one.id, one.email, one.name, one.role]),
          ),
        );
      }),
    );
}

function addInvite(member: Command, deps: CliDeps): void {
  member
    .command('invite <email>')
    .description('make a link by which somebody joins; it is shown this once and works for 7 days')
    .requiredOption('--workspace <id or slug>', 'into which workspace')
    .option('--role <role>', memberRoles.join(', '), 'agent')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard member invite ana@example.com --workspace demo --role admin')
    .action((email: string, options: OfWorkspace & { readonly role: string }) =>
      deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        if (!/^[^@\s]+@[^@\s]+$/.test(email)) throw new WrongUse(`${email} is not an e-mail address`);
        const asked = { email, role: roleOf(options.role) };
        const made = taken(await product.people.invitations.create(workspace.id, asked, by));
        await handOver(deps, options, { product, workspace, ...made });
      }),
    );
}

function addResend(member: Command, deps: CliDeps): void {
  member
    .command('resend <email>')
    .description('send an open invitation again, under a new link that works for 7 days; the link before ends')
    .requiredOption('--workspace <id or slug>', 'into which workspace')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard member resend ana@example.com --workspace demo')
    .action((email: string, options: OfWorkspace) =>
      deps.withProduct(async (product) => {
        const workspace = await loadWorkspace(product, options.workspace);
        const address = email.trim().toLowerCase();
        const listed = await product.people.invitations.list(workspace.id, { limit: maxInvitations });
        const found = listed.find((one) => one.email === address && !one.acceptedAt && !one.revokedAt);
        if (!found) throw new CommandFailed(`there is no invitation to ${email} that could be sent again`);
        const renewed = taken(await product.people.invitations.renew(workspace.id, found.id, by));
        await handOver(deps, options, { product, workspace, ...renewed });
      }),
    );
}

/** Looked through for the newest one to an address. */
const maxInvitations = 1_000;

interface Made {
  readonly product: CliProduct;
  readonly workspace: Workspace;
  readonly invitation: Invitation;
  readonly token: string;
}

async function handOver(deps: CliDeps, options: Shown, made: Made): Promise<void> {
  const { product, workspace, invitation, token } = made;
  const { email, role, expiresAt } = invitation;
  const link = `${product.config.publicUrl}/join#${token}`;
  const mail = await product.people.invitations.mail(workspace.id, invitation, link);
  const isMailed = mail === 'sent' ? ` It was mailed to ${email}.` : '';
  if (!options.json) deps.output.note(`Give ${email} this link; it is not shown again.${isMailed}`);
  const shown = { id: toPublicId('invitation', invitation.id), email, role, link, mail };
  show(deps.output, options, { ...shown, expiresAt: expiresAt.toISOString() }, () => link);
}

function addRole(member: Command, deps: CliDeps): void {
  member
    .command('role <email> <role>')
    .description('change what a member may do')
    .requiredOption('--workspace <id or slug>', 'in which workspace')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard member role ana@example.com admin --workspace demo')
    .action((email: string, role: string, options: OfWorkspace) =>
      deps.withProduct(async (product) => {
        const { workspace, person } = await loadMember(product, options.workspace, email);
        taken(await product.people.members.changeRole(workspace.id, person.id, roleOf(role), by));
        show(deps.output, options, { email: person.email, role }, () => `${person.email} is ${role} now.`);
      }),
    );
}

function addRemove(member: Command, deps: CliDeps): void {
  member
    .command('remove <email>')
    .description('take a member out of a workspace')
    .requiredOption('--workspace <id or slug>', 'of which workspace')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard member remove ana@example.com --workspace demo')
    .action((email: string, options: OfWorkspace) =>
      deps.withProduct(async (product) => {
        const { workspace, person } = await loadMember(product, options.workspace, email);
        taken(await product.people.members.remove(workspace.id, person.id, by));
        show(deps.output, options, { removed: person.email }, () => `${person.email} is no member any more.`);
      }),
    );
}

function addForget(member: Command, deps: CliDeps): void {
  member
    .command('second-factor-off <email>')
    .description('for who has lost app and recovery codes: the next log-in asks for the password only')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample: switchyard member second-factor-off ana@example.com')
    .action((email: string, options: Shown) =>
      deps.withProduct(async (product) => {
        const person = await product.people.findByEmail(email);
        const wasOn = person !== null && (await product.people.turnOffSecondFactor(person.id, 'cli'));
        if (!wasOn) throw new CommandFailed(`there is nobody with ${email} and a second factor`);
        show(deps.output, options, { email: person.email }, () => `${person.email} has no second factor any more.`);
      }),
    );
}

async function loadMember(
  product: CliProduct,
  idOrSlug: string,
  email: string,
): Promise<{ readonly workspace: Workspace; readonly person: Person }> {
  const workspace = await loadWorkspace(product, idOrSlug);
  const person = await product.people.findByEmail(email);
  if (!person) throw new CommandFailed(`there is nobody with ${email}`);
  return { workspace, person };
}

function roleOf(text: string): MemberRole {
  const role = memberRoles.find((known) => known === text);
  if (role) return role;
  throw new WrongUse(`${text} is none of the roles ${memberRoles.join(', ')}`);
}

function taken<Value>(result: Result<Value, Failure>): Value {
  if (!result.ok) throw new CommandFailed(result.refusal.detail);
  return result.value;
}
