import { crc32 } from 'node:zlib'

/** Cuts, alters or splices bytes, at a position below `within` (the whole file if not given). */
export function mutate (whole: Buffer, random: () => number, within = whole.length): Buffer {
  const kind = Math.floor(4 * random())
  const at = Math.floor(within * random())
  if (kind === 0) return whole.subarray(0, at)
  const bytes = Buffer.from(whole)
  if (kind === 1) bytes[at] = Math.floor(256 * random())
  else if (kind === 2 && at < bytes.length - 4) bytes.writeUInt32LE(Math.floor(2 ** 32 * random()), at)
  else return Buffer.concat([whole.subarray(0, at), whole.subarray(Math.floor(whole.length * random()))])
  return bytes
}

/** Makes the checksum of the pickle right again, so that what is wrong in it is met. */
export function fixCrc (bytes: Buffer): Buffer {
  const entry = bytes.indexOf('PK\x01\x02')
  const local = bytes.indexOf('PK\x03\x04')
  if (entry < 0 || local < 0 || entry + 46 > bytes.length) return bytes
  const begin = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28)
  bytes.writeUInt32LE(crc32(bytes.subarray(begin, begin + bytes.readUInt32LE(entry + 24))), entry + 16)
  return bytes
}
