/** Writes `docs/roles.md` from the tables of roles and of dangerous acts, after one was changed: `node server/test/support/write-roles.ts` */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dangerousActsAsMarkdown } from '#api';
import { rolesAsMarkdown } from '#workspaces';

export const rolesFile = join(import.meta.dirname, '..', '..', '..', 'docs', 'roles.md');

export function rolesPage(): string {
  return `# Who may do what

Written from \`server/src/workspaces/roles.ts\` by \`node server/test/support/write-roles.ts\`; a test compares.

A person has one role in each workspace; an API key has scopes. Each route under \`/api/v1\` names a resource and an
action, which its page in \`/api/docs\` tells. "General scope" is what gives a key the right: the scopes \`read\` and
\`write\` where they suffice, else the right must be named. Only an owner makes, changes or removes an owner, and the last
one stays.

${rolesAsMarkdown()}

## Dangerous acts

Written from \`server/src/api/dangerous-acts.ts\`. A person must have shown their password or a code of their second factor
in the last 10 minutes; otherwise the answer is 403 \`step-up-needed\`, and the console asks. API keys go by their scopes.

${dangerousActsAsMarkdown()}
`;
}

if (import.meta.main) await writeFile(rolesFile, rolesPage());
