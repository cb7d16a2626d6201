/**
 * The flow of a workspace that has none of its own: greets, shows a menu, lets the customer walk through the catalogue,
 * and passes them to a person. Plain data, as a team's own flow would be.
 */
import { type Flow, type FlowSource, parseFlow } from './definition.ts';

export const demoFlowSource: FlowSource = {
  name: 'demo',
  version: 1,
  start: 'welcome',
  home: 'menu',
  misunderstood: { limit: 3, next: 'person' },
  shortcuts: [
    { next: 'welcome', words: ['hello', 'hi', 'hey', 'good morning', 'good afternoon', 'good evening', 'start'] },
    {
      next: 'welcome',
      words: ['hola', 'buenas', 'buenos días', 'buenas tardes', 'buenas noches', 'inicio', 'empezar'],
    },
    { next: 'welcome', words: ['olá', 'oi', 'bom dia', 'boa tarde', 'boa noite', 'início', 'começar'] },
    { next: 'welcome', words: ['bonjour', 'bonsoir', 'salut', 'coucou', 'accueil', 'commencer'] },
    { next: 'welcome', words: ['مرحبا', 'أهلا', 'السلام عليكم', 'سلام', 'صباح الخير', 'مساء الخير', 'ابدأ'] },
    { next: 'welcome', words: ['שלום', 'היי', 'בוקר טוב', 'ערב טוב', 'התחל'] },
    { next: 'menu', words: ['menu', 'main menu', 'menú', 'menú principal', 'القائمة', 'القائمة الرئيسية', 'תפריט'] },
    { next: 'categories', words: ['products', 'catalog', 'catalogue', 'shop', 'productos', 'catálogo', 'tienda'] },
    { next: 'categories', words: ['produtos', 'loja', 'produits', 'boutique', 'المنتجات', 'منتجات', 'מוצרים', 'חנות'] },
    { next: 'person', words: ['agent', 'human', 'person', 'persona', 'agente', 'humano', 'asesor', 'pessoa'] },
    { next: 'person', words: ['atendente', 'personne', 'conseiller', 'humain', 'موظف', 'شخص', 'נציג', 'בן אדם'] },
  ],
  steps: {
    welcome: { kind: 'say', text: 'greeting', next: 'menu' },
    menu: {
      kind: 'menu',
      text: 'menu.ask',
      choices: [
        { value: 'browse', title: 'menu.browse', next: 'categories' },
        { value: 'hours', title: 'menu.hours', next: 'hours' },
        { value: 'person', title: 'menu.person', next: 'person' },
      ],
    },
    hours: { kind: 'say', text: 'hours', next: 'menu' },
    categories: { kind: 'categories', next: 'products', back: 'menu' },
    products: { kind: 'products', next: 'product', back: 'categories' },
    product: { kind: 'product', ask: 'person', back: 'products', home: 'menu' },
    person: { kind: 'handover', text: 'handover', hours: 12, next: 'menu' },
  },
};

export const demoFlow: Flow = parsedDemo();

function parsedDemo(): Flow {
  const parsed = parseFlow(demoFlowSource);
  if (!parsed.ok) throw new Error(`broken promise: the demo flow is valid: ${JSON.stringify(parsed.refusal.problems)}`);
  return parsed.value;
}
