/** HTTP that is no HTTP: lengths that lie, frames that are none, heads without an end. */
import { type HostileRequest, metaMessage, post, senders, type Targets } from './request.ts';

export function wireRequests({ mine, round }: Targets): HostileRequest[] {
  const body = metaMessage(mine, senders.forged, `wamid.hostile.wire.${round}`);
  const told = (name: string, answers: readonly number[], ...lengthLines: string[]) =>
    post(mine, name, body, answers, { lengthLines });
  const behind = Buffer.concat([body, Buffer.from(`POST ${mine.path} HTTP/1.1\r\nhost: x\r\n\r\n`)]);
  const signed = post(mine, '', body, []).headers;
  return [
    // What is missing never comes: neither a whole body nor an answer for half of one.
    { ...told('a length that is too long', [0, 400], `content-length: ${body.length + 100}`), isCutOff: true },
    // What is cut off does not verify, and what is left over is no request; which of the two is said first is chance.
    told('a length that is too short', [400, 401], `content-length: ${body.length - 100}`),
    told('a length of nothing', [400, 401], 'content-length: 0'),
    told('a length below nothing', [400], 'content-length: -1'),
    told('a length in words', [400], 'content-length: many'),
    told('two lengths', [400], `content-length: ${body.length}`, 'content-length: 5'),
    told('a length and chunks', [400], `content-length: ${body.length}`, 'transfer-encoding: chunked'),
    told('chunks that are none', [400], 'transfer-encoding: chunked'),
    told('a packing of the transfer', [400, 501], 'transfer-encoding: gzip, chunked'),
    // Hidden behind a body: a request by itself, and refused by itself.
    { ...post(mine, 'a request behind the body', behind, [401]), headers: { 'content-type': 'application/json' } },
    post(mine, 'a head of 20 kB', body, [431], { headers: { ...signed, 'x-padding': 'x'.repeat(20_000) } }),
    post(mine, 'a line that ends early', body, [400], { headers: { ...signed, 'x-odd': 'one\ntwo' } }),
    post(mine, 'NUL in the head', body, [400], { headers: { ...signed, 'x-odd': 'a\u0000b' } }),
    { ...post(mine, 'no method of HTTP', body, [400]), method: 'SEND' },
  ];
}
