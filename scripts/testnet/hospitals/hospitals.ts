import { readdir } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { InputError } from '../../../src/errors.ts'

export interface Hospital {
  readonly index: number
  readonly name: string
  readonly data: string
  /** Where its images come from: where these are the same, hospitals show the same patients. */
  readonly from: string
  readonly home: string
  readonly log: string
}

/** One data folder per hospital, in name order. @throws InputError when the folder holds none. */
export async function dataFolders (root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => {
    throw new InputError(`the data folder ${root} cannot be read: give --data a folder with one folder per hospital`)
  })
  const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map((entry) => entry.name).sort()
  const folders = []
  for (const name of names) {
    if (await holdsImages(join(root, name))) folders.push(join(root, name))
  }
  if (folders.length === 0) {
    throw new InputError(
      `${root} holds no folder per hospital (each with images/ and masks/, or imagesTr/ and labelsTr/): give --data such a folder`
    )
  }
  return folders
}

async function holdsImages (folder: string): Promise<boolean> {
  const names = await readdir(folder).catch((): string[] => [])
  return names.includes('images') || names.includes('imagesTr')
}

/** Names and homes below `homes`; with more hospitals than data folders the folders serve again, under a numbered name. */
export function planHospitals (folders: readonly string[], count: number, homes: string): Hospital[] {
  return Array.from({ length: count }, (_, index) => {
    const data = folders[index % folders.length]!
    const turn = Math.floor(index / folders.length)
    const name = basename(data) + (turn === 0 ? '' : `-${turn + 1}`)
    const home = resolve(homes, name)
    return { index, name, data: resolve(data), from: resolve(data), home, log: `${home}.log` }
  })
}
