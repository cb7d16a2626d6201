/** `npm run fault -- NAME [--json] …`: one JSON document as the last line of stdout; exit 1 when an invariant broke. */
import { runFault } from './command.ts';

process.exitCode = await runFault(process.argv.slice(2));
