/** Parts of a change that are about the account, or about people without being a message. */
import type { AccountEventType, InboundEvent } from '@switchyard/contract';
import { accountEvent, unsupportedEvent } from '../graph/index.ts';
import { idAt, type Part } from '../reading/index.ts';
import { personOf } from './people.ts';
import type { MetaValue } from './value.ts';

/** Fields without metadata and without parts: one event for the whole value (Meta, "Cloud API: webhooks"). */
export const accountFields: Readonly<Record<string, AccountEventType>> = {
  message_template_status_update: 'template',
  message_template_quality_update: 'template',
  message_template_components_update: 'template',
  template_category_update: 'template',
  template_correct_category_detection: 'template',
  phone_number_quality_update: 'quality',
  business_capability_update: 'quality',
  phone_number_name_update: 'account',
  account_update: 'account',
  account_review_update: 'account',
  account_alerts: 'account',
  account_settings_update: 'account',
  business_status_update: 'account',
  payment_configuration_update: 'account',
  partner_solutions: 'account',
  security: 'account',
  flows: 'account',
  messaging_handovers: 'handover',
  automatic_events: 'insight',
  tracking_events: 'insight',
};

export function readAccountPart(item: Part, of: MetaValue, type: AccountEventType, name: string): InboundEvent[] {
  return [accountEvent({ entry: of.entry, name, part: item, bindings: of.bindings, type })];
}

/** Marketing stopped or resumed. A choice that is neither is kept, but changes nobody's consent. */
export function readPreference(item: Part, of: MetaValue): InboundEvent[] {
  const described = { entry: of.entry, name: of.field || 'user_preferences', part: item, bindings: of.bindings };
  const named = { waId: idAt(item.value, 'wa_id'), userId: idAt(item.value, 'user_id') };
  const customer = personOf(named, of.contacts).identities;
  const choice = choices[idAt(item.value, 'value') ?? ''];
  if (!choice || customer.length === 0) {
    return [unsupportedEvent({ ...described, reason: 'a preference of nobody, or neither stop nor resume' })];
  }
  const topic = idAt(item.value, 'category') ?? 'marketing_messages';
  return [accountEvent({ ...described, type: 'opt', opt: { customer, topic, choice } })];
}

const choices: Readonly<Record<string, 'in' | 'out'>> = { stop: 'out', resume: 'in' };
