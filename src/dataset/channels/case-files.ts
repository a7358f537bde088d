import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { InputError } from '../../errors.ts'
import { parseName } from '../../formats/file.ts'
import { bareMaskKey, type Named } from '../names/pairing.ts'
import type { Problem } from '../types.ts'

/** The number that nnU-Net writes behind the name of a case. */
const CHANNEL = /^(.+)_(\d{4})$/
const TWIN = 'another file of the folder has the same name before the ending'
const NNUNET_FOLDER = /^images(tr|ts|val)$/i

/** Paths of a case's files by their channels. */
export type ChannelFiles = ReadonlyMap<number, string>

export interface Cases {
  readonly files: readonly Named[]
  /** files of channels that are not read */
  readonly ignored: number
  readonly problems: readonly Problem[]
}

export interface CaseRules {
  /** Which channels are read. */
  readonly channels: readonly number[]
  /** Whether a name has no channel although it may end like one. */
  readonly isPlain: (key: string) => boolean
  /** What is wrong with a name without a channel; nothing where it is an image of its own. */
  readonly bare?: string
}

/** Files of one case under its name, which goes without the channel, each case where its first file stands. */
export function toCases (files: readonly Named[], { channels, isPlain, bare }: CaseRules): Cases {
  const cases = new Map<string, { first: Named, all: Map<number, string> }>()
  const problems: Problem[] = []
  const found: Array<Named | string> = []
  let ignored = 0
  for (const each of files) {
    const [, key, digits] = isPlain(each.key) ? [] : CHANNEL.exec(each.key) ?? []
    if (key == null) {
      if (bare != null && !isPlain(each.key)) problems.push({ file: each.file, reason: bare })
      else found.push(each)
      continue
    }
    const channel = Number(digits)
    const one = cases.get(key) ?? { first: each, all: new Map<number, string>() }
    if (!cases.has(key)) found.push(key)
    cases.set(key, one)
    if (!channels.includes(channel)) ignored++
    else if (one.all.has(channel)) problems.push({ file: each.file, reason: TWIN })
    if (!one.all.has(channel)) one.all.set(channel, each.file)
  }
  return {
    files: found.map((each) => typeof each === 'string' ? namedCase(each, cases.get(each)!, channels) : each),
    ignored,
    problems
  }
}

interface Found { readonly first: Named, readonly all: ChannelFiles }

function namedCase (key: string, { first, all }: Found, channels: readonly number[]): Named {
  const file = channels.map((channel) => all.get(channel)).find((each) => each != null) ?? first.file
  const { kind = first.kind, stem } = parseName(file)
  return { ...first, file, kind, stem: stem.normalize('NFC'), key, channels: all }
}

/** Whether a name is that of a mask, which then is one of an image by itself: a stack of pictures may be numbered with four digits. */
export function namesOf (masks: readonly Named[]): (key: string) => boolean {
  const names = new Set(masks.flatMap((mask) => [mask.key.toLowerCase(), bareMaskKey(mask)]))
  return (key) => names.has(key.toLowerCase())
}

/** Whether files of a folder are cases as nnU-Net has them: all with a channel, and of each case channel 0. */
export function isNnunetFolder (folder: string, stems: readonly string[]): boolean {
  const all = new Set(stems)
  return NNUNET_FOLDER.test(basename(folder)) && all.size > 0 && stems.every((stem) => {
    const match = CHANNEL.exec(stem)
    return match != null && all.has(`${match[1]}_0000`)
  })
}

/** Whether names must say which channel a file is: a file of channel 0 alone is an image by itself. */
export function needsCases (channels: readonly number[] | undefined): channels is readonly number[] {
  return channels != null && Math.max(...channels) > 0
}

/**
 * The files of the case of which a file is a channel that is read, by what their names say; undefined where it is an image by itself.
 * @throws InputError where two files could be one channel
 */
export async function filesBeside (file: string, channels: readonly number[]): Promise<ChannelFiles | undefined> {
  const folder = dirname(file)
  const own = CHANNEL.exec(parseName(file).stem)
  if (own == null || !channels.includes(Number(own[2]))) return undefined
  const files = new Map<number, string>([[Number(own[2]), file]])
  // Reading the file says what is wrong with its folder.
  for (const name of (await readdir(folder).catch(() => [])).sort()) {
    const { stem, kind } = parseName(name)
    const [, key, digits] = CHANNEL.exec(stem) ?? []
    const channel = Number(digits)
    if (kind == null || key !== own[1] || name === basename(file)) continue
    if (files.has(channel) && channels.includes(channel)) {
      throw new InputError(`${file} cannot be used: beside it lie two files of channel ${channel} of its case; keep one of them`)
    }
    files.set(channel, join(folder, name))
  }
  return files
}
