import { InputError } from '../errors.ts'
import { isInvitation, MAX_INVITATION_BYTES } from '../federation/membership/invitation.ts'
import { readIfThere } from '../home/files.ts'
import { STANDARD_INPUT } from './flags.ts'

/** An invitation itself, its file, or standard input (-). @throws InputError for what is none of these */
export async function readInvitation (text: string): Promise<string> {
  if (text === STANDARD_INPUT) return await readStandardInput()
  return isInvitation(text) ? text : await readInvitationFile(text)
}

const MOST_BYTES = 2 * MAX_INVITATION_BYTES

async function readStandardInput (): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk
    if (text.length > MOST_BYTES) throw new InputError('what came on standard input is no invitation: it is too long')
  }
  return text.trim()
}

async function readInvitationFile (path: string): Promise<string> {
  const bytes = await readIfThere(path)
  if (bytes == null) {
    throw new InputError(`${path} is neither an invitation nor a file: copy the invitation as a whole, or name the file that holds it`)
  }
  if (bytes.length > MOST_BYTES) throw new InputError(`${path} is no invitation: it is too long`)
  return bytes.toString('utf8')
}
