import type { DataSet } from './parse.ts'

/** Numbers written as text, parted by backslashes; fewer than `count` are none. */
export function decimals (dataSet: DataSet | undefined, tag: string, count = 1): number[] | undefined {
  const values = (text(dataSet, tag) ?? '').split('\\').map((each) => each.trim() === '' ? NaN : Number(each))
  return values.length >= count && values.every(Number.isFinite) ? values : undefined
}

/** The text of an element without the blanks around it; undefined where it is empty or not there. */
export function text (dataSet: DataSet | undefined, tag: string): string | undefined {
  const element = dataSet?.elements[tag]
  if (dataSet == null || element == null || element.items != null || !(element.length > 0)) return undefined
  const { dataOffset, length } = element
  const bytes = dataSet.byteArray.subarray(dataOffset, Math.min(dataOffset + length, dataOffset + MOST_TEXT))
  const found = decode(bytes).replaceAll('\0', ' ').trim()
  return found === '' ? undefined : found
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** Names are compared and hashed: what is no UTF-8 is taken byte by byte, the same every time. */
function decode (bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes)
  } catch {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  }
}

/** A contour of thousands of points is the longest text that is read. */
const MOST_TEXT = 2 ** 26

/** A whole number of 16 bits. */
export function short (dataSet: DataSet | undefined, tag: string, index = 0): number | undefined {
  const element = dataSet?.elements[tag]
  if (dataSet == null || element == null || !(element.length >= 2 * index + 2)) return undefined
  return element.dataOffset + 2 * index + 2 > dataSet.byteArray.length ? undefined : dataSet.uint16(tag, index)
}

/** Numbers of 16 bits, one behind the other. */
export function shorts (dataSet: DataSet, tag: string): number[] {
  const count = Math.floor((dataSet.elements[tag]?.length ?? 0) / 2)
  return Array.from({ length: count }, (_, index) => short(dataSet, tag, index) ?? 0)
}

/** Numbers of 32 bits, one behind the other. */
export function longs (dataSet: DataSet | undefined, tag: string): number[] {
  const element = dataSet?.elements[tag]
  if (dataSet == null || element == null || element.dataOffset + element.length > dataSet.byteArray.length) return []
  return Array.from({ length: Math.floor(element.length / 4) }, (_, index) => dataSet.uint32(tag, index) ?? 0)
}

/** The items of a sequence. */
export function items (dataSet: DataSet | undefined, tag: string): DataSet[] {
  return (dataSet?.elements[tag]?.items ?? []).flatMap(({ dataSet: inner }) => inner ?? [])
}

/** The first item of sequences within each other; undefined where one is not there. */
export function item (dataSet: DataSet | undefined, ...tags: readonly string[]): DataSet | undefined {
  return tags.reduce<DataSet | undefined>((at, tag) => items(at, tag)[0], dataSet)
}
