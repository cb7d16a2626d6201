/** The rules in force and how often each has struck. With no rules a look costs one comparison. */
import { createRandom, type Random } from '../world/random.ts';
import {
  type DoorKind,
  type Fault,
  type FaultKind,
  isDoorKind,
  isStateKind,
  type Operation,
  type WebhookKind,
} from './fault.ts';

export interface Occasion {
  readonly provider: string;
  readonly number: string;
  readonly operation: Operation;
  readonly customer?: string;
}

export type DoorFault = Fault & { readonly kind: DoorKind };
export type WebhookFault = Fault & { readonly kind: WebhookKind };

interface Rule {
  readonly fault: Fault;
  seen: number;
  struck: number;
}

export class FaultBook {
  #rules: Rule[] = [];
  #random: Random;

  constructor(seed: number) {
    this.#random = createRandom(seed);
  }

  /** Replaces all rules; with a seed their probabilities play out the same again. */
  replace(faults: readonly Fault[], seed?: number): void {
    this.#rules = faults.map((fault) => ({ fault, seen: 0, struck: 0 }));
    if (seed !== undefined) this.#random = createRandom(seed);
  }

  add(fault: Fault): void {
    this.#rules.push({ fault, seen: 0, struck: 0 });
  }

  list(): { fault: Fault; struck: number; isSpent: boolean }[] {
    return this.#rules.map((rule) => ({ fault: rule.fault, struck: rule.struck, isSpent: isSpent(rule) }));
  }

  takeDoorFault(occasion: Occasion): DoorFault | null {
    return this.#rules.length === 0 ? null : (this.#take(occasion, isDoorKind) as DoorFault | null);
  }

  takeWebhookFault(occasion: Occasion): WebhookFault | null {
    const isWanted = (kind: FaultKind) => !isDoorKind(kind) && !isStateKind(kind);
    return this.#rules.length === 0 ? null : (this.#take(occasion, isWanted) as WebhookFault | null);
  }

  /** The first rule that fits, has strikes left and wins its throw. */
  #take(occasion: Occasion, isWanted: (kind: FaultKind) => boolean): Fault | null {
    for (const rule of this.#rules) {
      if (!isWanted(rule.fault.kind) || !fits(rule.fault, occasion) || isSpent(rule)) continue;
      rule.seen += 1;
      if (rule.seen <= rule.fault.after) continue;
      if (rule.fault.probability < 1 && this.#random.next() >= rule.fault.probability) continue;
      rule.struck += 1;
      return rule.fault;
    }
    return null;
  }
}

function isSpent(rule: Rule): boolean {
  return rule.fault.times !== null && rule.struck >= rule.fault.times;
}

/** A rule without an operation strikes sends, or for webhooks: any; late receipts strike receipts only. */
function fits(fault: Fault, occasion: Occasion): boolean {
  if (fault.provider && fault.provider !== occasion.provider) return false;
  if (fault.number && fault.number !== occasion.number) return false;
  if (fault.customer && fault.customer !== occasion.customer) return false;
  if (fault.operation) return fault.operation === occasion.operation;
  if (isDoorKind(fault.kind)) return occasion.operation === 'send';
  return fault.kind !== 'late_receipts' || occasion.operation === 'receipt';
}
