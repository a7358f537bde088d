import { systemReason } from '../../common/system-error.ts'
import { writeWhole } from '../../common/write-whole.ts'
import { InputError } from '../../errors.ts'

/** Writes a file of which nobody sees half. @throws InputError naming it when it cannot be written */
export async function writeOutput (file: string, bytes: string | Uint8Array): Promise<void> {
  await writeWhole(file, bytes, { replacesLink: true }).catch((error: unknown) => {
    throw new InputError(`${file} cannot be written: ${systemReason(error, 'its folder')}`)
  })
}
