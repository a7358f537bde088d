import { isPacs } from '../dicomweb/address.ts'
import { warn } from './output.ts'

/** The folder of what is to be read: of a PACS that of the files fetched from it, else what was given. @throws InputError */
export async function dataFolder (data: string, home: string): Promise<string> {
  if (!isPacs(data)) return data
  const { readFromPacs } = await import('../dicomweb/open-pacs.ts')
  const { folder, studies, unlabelled } = await readFromPacs(data, home)
  warn(pacsInWords(studies, unlabelled))
  return folder
}

/** How much of a PACS was read. */
export function pacsInWords (studies: number, unlabelled: number): string {
  const rest = unlabelled === 0 ? '' : `; nothing of the other ${unlabelled}, which nobody segmented`
  return `read from the PACS: series with segmentations of ${studies - unlabelled} of ${studies} studies${rest}`
}
