/**
 * A text as it is compared with a word list: no case, no accents, no Arabic or Hebrew vowel signs, one form of alef,
 * western digits, no emoji variation, no punctuation at the ends, single spaces. Never shown to anyone.
 */
export function foldText(text: string): string {
  return text
    .slice(0, maxFoldedLength)
    .normalize('NFKD')
    .replace(/[\p{M}\p{Cf}\u0640]/gu, '')
    .replace(/[\u0671-\u0673\u0675]/g, '\u0627')
    .replace(/[\u0649\u06cc]/g, '\u064a')
    .replace(/\u0629/g, '\u0647')
    .replace(/[\u0660-\u0669]/g, (digit) => String(digit.charCodeAt(0) - 0x0660))
    .replace(/[\u06f0-\u06f9]/g, (digit) => String(digit.charCodeAt(0) - 0x06f0))
    .toLowerCase()
    .replace(/[\s'’‘`´_-]+/g, ' ')
    .replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '');
}

/** Longer texts are no word of a list; the rest of them is not looked at. */
const maxFoldedLength = 400;

/** The words of a folded text, without punctuation. */
export function foldedWords(text: string): readonly string[] {
  return foldText(text)
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}
