/** The same news without the bytes of its files, which stand in `base64`; null: there are none in it. */
export function withoutFiles(body: string): string | null {
  const isFile = (name: string, value: unknown) => name === 'base64' && typeof value === 'string';
  const lighter = JSON.stringify(
    JSON.parse(body, (name, value: unknown) => (isFile(name, value) ? undefined : value)) as unknown,
  );
  return lighter.length < body.length ? lighter : null;
}
