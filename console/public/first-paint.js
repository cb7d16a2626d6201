// Sets the theme, the language and its direction before the first paint, so that nothing flashes. A file of its own,
// since the content policy allows no script inside the page.
(() => {
  // The content policy allows no `eval`: the schema library is told so, or it tries and the browser reports a violation.
  globalThis.__zod_globalConfig = { jitless: true };
  const root = document.documentElement;
  const kept = localStorage.getItem('vueuse-color-scheme');
  const isDark = kept === 'dark' || (kept !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  root.classList.toggle('dark', isDark);
  const language = localStorage.getItem('switchyard-language');
  if (language) root.lang = language;
  if (language === 'ar' || language === 'he') root.dir = 'rtl';
})();
