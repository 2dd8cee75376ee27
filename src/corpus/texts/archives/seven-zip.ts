// 7z archives are known by their first bytes; what reads them is loaded when one is there.

const magic = Uint8Array.of(0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c);

/** Whether bytes begin as an archive does. @param head six bytes at least */
export function isSevenZip(head: Uint8Array): boolean {
  return magic.every((byte, i) => head[i] === byte);
}
