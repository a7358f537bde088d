import { InputError } from '../errors.ts'
import { isInvitation, MAX_INVITATION_BYTES } from '../federation/membership/invitation.ts'
import { readIfThere } from '../home/files.ts'
import { STANDARD_INPUT } from './flags.ts'
import { readStandardInput } from './standard-input.ts'

/** An invitation itself, its file, or standard input (-). @throws InputError for what is none of these */
export async function readInvitation (text: string): Promise<string> {
  if (text === STANDARD_INPUT) return await readStandardInput(MOST_BYTES, 'is no invitation')
  return isInvitation(text) ? text : await readInvitationFile(text)
}

const MOST_BYTES = 2 * MAX_INVITATION_BYTES

async function readInvitationFile (path: string): Promise<string> {
  const bytes = await readIfThere(path)
  if (bytes == null) {
    throw new InputError(`${path} is neither an invitation nor a file: copy the invitation as a whole, or name the file that holds it`)
  }
  if (bytes.length > MOST_BYTES) throw new InputError(`${path} is no invitation: it is too long`)
  return bytes.toString('utf8')
}
