/**
 * `npm run conformance -- FOLDER`: real payloads, as providers sent or documented them, through `switchyard normalize`,
 * through the HTTP door of a real server, and every signature vector through its channel. FOLDER holds a manifest.json;
 * it is other people's data and stays where it is. Closes with `N passed, N failed`.
 */
import { resolve } from 'node:path';
import { checkDelivered } from './conformance/delivered.ts';
import { checkHandshakes } from './conformance/handshakes.ts';
import { isHandshake, isInbound, isSignatureVector, NoManifest, readManifest } from './conformance/manifest.ts';
import { checkNormalised, normaliseAll } from './conformance/normalised.ts';
import { openShop } from './conformance/shop.ts';
import { checkSignature } from './conformance/signatures.ts';
import { describeVerdicts, type Verdict } from './conformance/verdict.ts';

async function check(folder: string): Promise<readonly Verdict[]> {
  const entries = readManifest(folder);
  const payloads = await normaliseAll(folder, entries.filter(isInbound));
  const shop = await openShop();
  try {
    return [
      ...payloads.map(checkNormalised),
      ...(await checkDelivered(shop, payloads)),
      ...(await checkHandshakes(shop, entries.filter(isHandshake))),
      ...entries.filter(isSignatureVector).map(checkSignature),
    ];
  } finally {
    await shop.close();
  }
}

async function main(args: readonly string[]): Promise<number> {
  const [folder, ...more] = args;
  if (!folder || more.length > 0 || folder.startsWith('-')) {
    console.error('usage: npm run conformance -- FOLDER (with a manifest.json in it)');
    return 2;
  }
  try {
    const verdicts = await check(resolve(folder));
    const failed = verdicts.filter(({ failure }) => failure !== undefined).length;
    console.log(describeVerdicts(verdicts));
    console.log(`${verdicts.length - failed} passed, ${failed} failed`);
    return failed > 0 || verdicts.length === 0 ? 1 : 0;
  } catch (error) {
    console.error(`conformance: ${error instanceof Error ? error.message : String(error)}`);
    return error instanceof NoManifest ? 2 : 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
