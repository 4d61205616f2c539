/** Maps offsets that the parser counts in bytes of UTF-8 to UTF-16 offsets of the same text. */
export function byteOffsets(text: string): (bytes: number) => number {
  if (isAscii(text)) return (bytes) => clamp(bytes, text.length);
  let table: Uint32Array | undefined;
  return (bytes) => {
    table ??= tableOf(text);
    return table[clamp(bytes, table.length - 1)] ?? text.length;
  };
}

/** The UTF-16 offset of the code point with number `index`. */
export function codePointOffset(text: string, index: number): number {
  let offset = 0;
  for (let i = 0; i < index && offset < text.length; i++) offset += (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
  return offset;
}

const isAscii = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
};

const clamp = (value: number, most: number): number => Math.min(Math.max(value, 0), most);

/** For every byte the UTF-16 offset of its character. */
function tableOf(text: string): Uint32Array {
  const table = new Uint32Array(new TextEncoder().encode(text).length + 1);
  let byte = 0;
  for (let offset = 0; offset < text.length;) {
    const point = text.codePointAt(offset) ?? 0;
    const size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    table.fill(offset, byte, byte + size);
    byte += size;
    offset += size === 4 ? 2 : 1;
  }
  table[byte] = text.length;
  return table;
}
