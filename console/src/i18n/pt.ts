import type { AnyCatalogue } from './catalogue.ts';
import en from './en.ts';

const words: AnyCatalogue = en;
export default words;
