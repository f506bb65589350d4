// Amounts of money, which columns whose names end in Cents have in hundredths.

// money returns hundredths as an input has them: 123456 is 1234.56.
export function money(cents) {
  const text = String(cents);
  const digits = text.replace('-', '').padStart(3, '0');
  return `${text.startsWith('-') ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

// amount returns hundredths as people read them: 1,234.56. An average may have parts of them.
export function amount(cents) {
  if (typeof cents === 'number') {
    return (cents / 100).toLocaleString(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  }
  const [whole, rest] = money(cents).split('.'); // the text of a BigInt
  const point = (1.5).toLocaleString().charAt(1);
  return `${whole === '-0' ? '-0' : BigInt(whole).toLocaleString()}${point}${rest}`;
}

// amounts are the texts that hundredths takes. With three digits behind it, a point or a comma may
// stand for thousands: that is not guessed.
export const amounts = /^[+-]?\d+([.,]\d{1,2})?$/;

// hundredths returns the digits of an amount that somebody has typed: 12.5 is 1250.
export function hundredths(text) {
  const [whole, rest = ''] = text.split(/[.,]/);
  return `${whole}${rest.padEnd(2, '0')}`.replace(/^\+/, '').replace(/^(-?)0+(?=\d)/, '$1');
}
