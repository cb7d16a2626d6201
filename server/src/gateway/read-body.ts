import type { IncomingMessage } from 'node:http';
import { gatewayLimits } from './limits.ts';

/** Bytes of bodies that came in several pieces and are not yet whole, over all requests of this process. */
export interface BodyBudget {
  buffered: number;
}

export type ReadBody = Buffer | 'too-large' | 'too-much-at-once';

const noBytes = Buffer.alloc(0);

/**
 * Reads a body and calls `done` once, or never when the client goes away before. The usual body is one piece, which is
 * handed on without a copy. Reading ends at the limit: what is left of a refused body is the caller's.
 */
export function readBody(req: IncomingMessage, budget: BodyBudget, done: (body: ReadBody) => void): void {
  let first: Buffer | undefined;
  let pieces: Buffer[] | undefined;
  let size = 0;
  const take = (piece: Buffer) => {
    size += piece.length;
    if (size > gatewayLimits.maxBodyBytes) return stop('too-large');
    if (first === undefined) {
      first = piece;
      return;
    }
    if (pieces === undefined) {
      pieces = [first];
      budget.buffered += first.length;
      // However the request ends, what it held is free again. Requests of one piece never come here.
      req.once('close', () => {
        budget.buffered -= heldBytes(pieces);
      });
    }
    pieces.push(piece);
    budget.buffered += piece.length;
    if (budget.buffered > gatewayLimits.maxBufferedBytes) stop('too-much-at-once');
  };
  const end = () => done(pieces === undefined ? (first ?? noBytes) : Buffer.concat(pieces, size));
  const stop = (reason: 'too-large' | 'too-much-at-once') => {
    req.off('data', take);
    req.off('end', end);
    done(reason);
  };
  req.on('data', take);
  req.on('end', end);
}

function heldBytes(pieces: readonly Buffer[] | undefined): number {
  return pieces?.reduce((sum, piece) => sum + piece.length, 0) ?? 0;
}
