/** What a page has been made to do or to hold by the texts it shows. Runs in the page. */
import type { BrowserContext, Page } from 'playwright-core';
import { flat, payloads } from './payloads.ts';

/** Before any page's own program: whatever a payload calls is written down, and what the content policy held back. */
const watch = `
  window.__told = [];
  window.__xss = (number) => { window.__told.push('ran: ' + number); };
  for (const name of ['alert', 'confirm', 'prompt', 'print'])
    window[name] = (text) => { window.__told.push(name + ': ' + text); };
  document.addEventListener('securitypolicyviolation', (event) => {
    window.__told.push('policy: ' + event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample);
  });
`;

/**
 * Elements and attributes that the console never makes. A payload may stand in an attribute that is read as text (`title`,
 * `aria-label`, a field's value) and in no other; an address may lead to http, to a place in the page, to mail or a phone.
 */
const inspect = `
  window.__inspect = (() => {
    const foreign = new Set(('iframe frame object embed base applet marquee isindex listing xmp plaintext math foreignobject ' +
      'animate set image audio area video source track mglyph xss x dialog').split(' '));
    const texts = new Set(['title', 'alt', 'value', 'placeholder', 'label', 'data-value']);
    const addresses = new Set(['href', 'src', 'action', 'formaction', 'data', 'xlink:href', 'poster', 'background', 'srcset']);
    const isMarked = (text) => text.includes('__xss');
    const mayLeadTo = (text, tag) => {
      const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text.replace(/[\\u0000-\\u0020]/g, ''))?.[1]?.toLowerCase();
      if (scheme === undefined || ['http', 'https', 'mailto', 'tel'].includes(scheme)) return true;
      return tag === 'img' && /^data:image\\//.test(text);
    };
    const wrongOf = (element, { name, value }) => {
      if (/^on|^@|^v-|^srcdoc$/i.test(name)) return true;
      if (addresses.has(name.toLowerCase())) return !mayLeadTo(value, element.localName);
      return isMarked(name) || (isMarked(value) && !texts.has(name) && !name.startsWith('aria-'));
    };
    const isForeign = (element) => {
      const tag = element.localName.toLowerCase();
      if (foreign.has(tag) || (tag === 'meta' && /refresh/i.test(element.httpEquiv))) return true;
      return ['script', 'style', 'template', 'noscript'].includes(tag) && isMarked(element.outerHTML);
    };
    return (root = document) => {
      const found = [...window.__told];
      for (const element of root.querySelectorAll('*')) {
        if (isForeign(element)) found.push('element: ' + element.outerHTML.slice(0, 160));
        for (const attribute of element.attributes)
          if (wrongOf(element, attribute)) found.push('attribute: ' + attribute.name + '=' + attribute.value.slice(0, 120));
      }
      for (const name of ['innerHTML', 'srcdoc']) if (({})[name] !== undefined) found.push('prototype: ' + name);
      return found;
    };
  })();
`;

/** What is shown beside the navigation, which has the workspace's name on every page: text, values of fields, words for a screen reader. */
const shown = `
  window.__shown = (() => {
    const flats = ${JSON.stringify(payloads.map(flat))};
    const partsOf = (root) => [
      root.textContent,
      ...[...root.querySelectorAll('input, textarea')].map(({ value }) => value),
      ...[...root.querySelectorAll('[aria-label]')].map(({ ariaLabel }) => ariaLabel),
    ];
    const numbersIn = (roots) => {
      const text = roots.flatMap(partsOf).join(' ').replaceAll(${String(/[\s\u0000-\u001f\ufeff]+/g)}, '');
      return flats.flatMap((payload, number) => (text.includes(payload) ? [number] : []));
    };
    return () => ({
      anywhere: numbersIn([document.body]),
      inPage: numbersIn([...document.querySelectorAll('#content, [role=dialog], [role=listbox], body:not(:has(#content))')]),
    });
  })();
`;

export async function watchForScripts(context: BrowserContext): Promise<void> {
  await context.addInitScript(watch + inspect + shown);
}

export interface Looked {
  /** Each as one line. */
  readonly found: readonly string[];
  /** The payloads that are shown, by number: anywhere, and beside the navigation. */
  readonly shown: { readonly anywhere: readonly number[]; readonly inPage: readonly number[] };
}

export async function lookAt(page: Page): Promise<Looked> {
  return (await page.evaluate('({ found: window.__inspect(), shown: window.__shown() })')) as Looked;
}

/** How many of these the look would see if a page took each for markup: so that it can fail. */
export async function countSeenAsMarkup(page: Page): Promise<number> {
  return (await page.evaluate(`${JSON.stringify(payloads)}.filter((payload) => {
    const here = document.createElement('div');
    here.innerHTML = payload;
    return window.__inspect(here).length > window.__told.length;
  }).length`)) as number;
}
