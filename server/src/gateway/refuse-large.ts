import type { IncomingMessage, ServerResponse } from 'node:http';
import { answers } from './answers.ts';
import { gatewayLimits } from './limits.ts';

/**
 * 413 such that the client sees it: the whole answer goes out at once, then what still comes is thrown away for a while,
 * then the connection is closed. Closing while the client still writes would reset it before it has read.
 */
export function refuseTooLarge(req: IncomingMessage, res: ServerResponse): void {
  const { status, headers, body } = answers.tooLarge;
  res.writeHead(status, headers as string[]);
  res.write(body);
  let drained = 0;
  const timer = setTimeout(close, gatewayLimits.maxDrainMs);
  req.on('data', drain);
  req.once('end', close);
  req.once('close', close);
  req.resume();

  function drain(piece: Buffer): void {
    drained += piece.length;
    if (drained > gatewayLimits.maxDrainedBytes) close();
  }

  function close(): void {
    clearTimeout(timer);
    req.off('data', drain);
    if (!res.writableEnded) res.end();
  }
}
