import { evolutionRequests } from './evolution.ts';
import { instagramRequests } from './instagram.ts';
import { metaRequests } from './meta.ts';
import type { HostileRequest, Targets } from './request.ts';
import { twilioRequests } from './twilio.ts';
import { webjsRequests } from './webjs.ts';
import { wireRequests } from './wire.ts';

/** One round of all that is sent one after the other. */
export function corpus(targets: Targets): HostileRequest[] {
  return [
    ...metaRequests(targets),
    ...wireRequests(targets),
    ...twilioRequests(targets),
    ...evolutionRequests(targets),
    ...instagramRequests(targets),
    ...webjsRequests(targets),
  ];
}
