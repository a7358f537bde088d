import { ProtocolError } from '../../errors.ts'

/** @throws ProtocolError naming what cannot be decoded */
export function decoded<T> (name: string, decode: (bytes: Uint8Array) => T, bytes: Uint8Array): T {
  try {
    return decode(bytes)
  } catch {
    throw new ProtocolError(`${name} cannot be decoded`)
  }
}

/** @throws ProtocolError for bytes of another length */
export function checkLength (name: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw new ProtocolError(`${name} has ${bytes.length} bytes, not ${length}`)
}
