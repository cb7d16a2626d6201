/** Templates: name and language always; existence and number of parameters where the number was given its templates. */
import type { Template } from '../world/number.ts';
import { type Fields, isFields } from '../world/read.ts';
import { type Checked, missing } from './refusal.ts';

export function checkTemplate(part: unknown, templates: readonly Template[] | null, isByUserId: boolean): Checked {
  if (!isFields(part)) return missing('template');
  const { name, language, components } = part;
  if (typeof name !== 'string' || name === '') return missing("template['name']");
  const code = isFields(language) ? language.code : undefined;
  if (typeof code !== 'string' || code === '') return missing("template['language']['code']");
  if (components !== undefined && !Array.isArray(components)) return { code: '132012' };
  const parameters = bodyParametersOf((components ?? []) as unknown[]);
  if (parameters.some((text) => text === null)) return { code: '132012' };
  const known = templates?.find((each) => each.name === name && (each.language ?? code) === code);
  if (templates && !known) return { code: '132001', details: `template name (${name}) does not exist in ${code}` };
  if (known?.category?.toUpperCase() === 'AUTHENTICATION' && isByUserId) return { code: '131062' };
  if (known?.parameters !== undefined && known.parameters !== parameters.length) {
    return {
      code: '132000',
      details: `body: number of localizable_params (${parameters.length}) does not match the expected number of params (${known.parameters})`,
    };
  }
  return {
    category: known?.category?.toLowerCase() ?? 'utility',
    screen: { type: 'template', text: fillIn(known?.body ?? `[${name}] ${parameters.join(' · ')}`.trim(), parameters) },
  };
}

/** Texts of the body's parameters; null for one that has no text. */
function bodyParametersOf(components: readonly unknown[]): (string | null)[] {
  const body = components.find(
    (component): component is Fields => isFields(component) && String(component.type).toLowerCase() === 'body',
  );
  const parameters = body?.parameters;
  if (!Array.isArray(parameters)) return [];
  return (parameters as unknown[]).map((parameter) => {
    if (!isFields(parameter)) return null;
    const text = parameter.type === 'text' ? parameter.text : `[${String(parameter.type)}]`;
    return typeof text === 'string' && text !== '' ? text : null;
  });
}

function fillIn(body: string, parameters: readonly (string | null)[]): string {
  return body.replace(/\{\{(\d+)\}\}/g, (whole, index: string) => parameters[Number(index) - 1] ?? whole);
}
