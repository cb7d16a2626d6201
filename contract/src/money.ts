/** An amount in the currency's smallest unit (cents, millimes): integers only, so that sums are exact. */
export interface Money {
  readonly amountMinor: number;
  /** ISO 4217, upper case. */
  readonly currency: string;
}

/** Digits after the decimal point in this currency: EUR 2, TND 3, JPY 0. */
export function fractionDigits(currency: string): number {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
}

export function formatMoney(money: Money, locale: string): string {
  const major = money.amountMinor / 10 ** fractionDigits(money.currency);
  return new Intl.NumberFormat(locale, { style: 'currency', currency: money.currency }).format(major);
}
