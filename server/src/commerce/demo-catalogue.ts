/**
 * The demo shop: a small roastery and pantry. Names are short enough for a list row (24 characters) and need no
 * translation to be understood.
 */
export const demoCurrency = 'EUR';

interface DemoProduct {
  readonly sku: string;
  readonly name: string;
  readonly description: string;
  readonly priceMinor: number;
  /** null: not counted. */
  readonly stock: number | null;
}

export interface DemoCategory {
  readonly name: string;
  readonly products: readonly DemoProduct[];
}

export const demoCatalogue: readonly DemoCategory[] = [
  {
    name: '☕ Café · Coffee',
    products: [
      {
        sku: 'CAF-HUI-250',
        name: 'Huila 250 g',
        description: 'Washed arabica from Huila, Colombia. Caramel, red apple, a clean finish. Roasted on Tuesdays.',
        priceMinor: 1250,
        stock: 40,
      },
      {
        sku: 'CAF-SID-250',
        name: 'Sidamo 250 g',
        description: 'Natural arabica from Sidamo, Ethiopia. Blueberry and jasmine; best as filter coffee.',
        priceMinor: 1390,
        stock: 26,
      },
      {
        sku: 'CAF-ESP-1000',
        name: 'Espresso Nord 1 kg',
        description: 'The house espresso: cocoa, hazelnut, little acidity. Whole beans, one kilo.',
        priceMinor: 3200,
        stock: 18,
      },
      {
        sku: 'CAF-DEC-250',
        name: 'Decaf Chiapas 250 g',
        description: 'Decaffeinated with mountain water in Mexico. Brown sugar and orange peel, good at midnight.',
        priceMinor: 1320,
        stock: 0,
      },
    ],
  },
  {
    name: '🍵 Té · Tea',
    products: [
      {
        sku: 'TEA-MNT-080',
        name: 'Atlas Mint 80 g',
        description: 'Gunpowder green tea with spearmint from the Atlas foothills. Sweet it or not.',
        priceMinor: 790,
        stock: 55,
      },
      {
        sku: 'TEA-EGR-100',
        name: 'Earl Grey 100 g',
        description: 'Black tea from Ceylon with real oil of bergamot, no flavouring.',
        priceMinor: 850,
        stock: 31,
      },
      {
        sku: 'TEA-ROO-100',
        name: 'Rooibos 100 g',
        description: 'Red bush from the Cederberg. No caffeine, malty, forgiving of long steeping.',
        priceMinor: 690,
        stock: 44,
      },
    ],
  },
  {
    name: '🫒 Despensa · Pantry',
    products: [
      {
        sku: 'PAN-OIL-500',
        name: 'Picual olive oil 500 ml',
        description: 'First cold pressing of Picual olives from Jaén. Green, peppery, in a dark bottle.',
        priceMinor: 1490,
        stock: 22,
      },
      {
        sku: 'PAN-DAT-400',
        name: 'Medjool dates 400 g',
        description: 'Large soft dates from this season, unpitted, nothing added.',
        priceMinor: 980,
        stock: 37,
      },
      {
        sku: 'PAN-HON-350',
        name: 'Thyme honey 350 g',
        description: 'Raw honey from wild thyme, thick and dark; crystals are a good sign.',
        priceMinor: 1150,
        stock: 15,
      },
    ],
  },
  {
    name: '🎁 Accesorios · Gear',
    products: [
      {
        sku: 'GEA-V60-002',
        name: 'Ceramic dripper',
        description: 'Cone dripper for one to four cups, white ceramic. Takes standard size 02 paper filters.',
        priceMinor: 2450,
        stock: 9,
      },
      {
        sku: 'GEA-GRD-001',
        name: 'Hand grinder',
        description: 'Steel conical burrs, 36 steps, 25 g a load. Folds into a bag.',
        priceMinor: 5900,
        stock: 6,
      },
      {
        sku: 'GEA-GFT-050',
        name: 'Gift card 50 €',
        description: 'A code sent by message; good for two years for everything in the shop.',
        priceMinor: 5000,
        stock: null,
      },
    ],
  },
];
