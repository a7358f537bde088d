import { InputError } from '../errors.ts'
import { isInvitation, MAX_INVITATION_BYTES } from '../federation/membership/invitation.ts'
import { readIfThere } from '../home/files.ts'
import { STANDARD_INPUT } from './flags.ts'

/** An invitation as it was given: itself, the file that holds it, or - for standard input. @throws InputError where there is none */
export async function readInvitation (given: string): Promise<string> {
  return given === STANDARD_INPUT ? await readStandardInput() : isInvitation(given) ? given : await readInvitationFile(given)
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
