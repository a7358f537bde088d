import yargs, { type Argv } from 'yargs'
import { SOFTWARE } from '../common/software.ts'
import { UsageError } from '../errors.ts'
import { audit } from './cmds/audit.ts'
import { backup, restore } from './cmds/backup.ts'
import { corrections } from './cmds/corrections.ts'
import { crossEvaluateCommand } from './cmds/cross-evaluate.ts'
import { data } from './cmds/data.ts'
import { doctor } from './cmds/doctor.ts'
import { evaluate } from './cmds/evaluate.ts'
import { exportAdapter } from './cmds/export.ts'
import { federation } from './cmds/federation.ts'
import { id, init } from './cmds/identity.ts'
import { invite } from './cmds/invite.ts'
import { join } from './cmds/join.ts'
import { leave } from './cmds/leave.ts'
import { members, revoke } from './cmds/members.ts'
import { model } from './cmds/model.ts'
import { page } from './cmds/page.ts'
import { predict } from './cmds/predict.ts'
import { privacyCommand } from './cmds/privacy.ts'
import { serve } from './cmds/serve.ts'
import { simulateCommand } from './cmds/simulate.ts'
import { start } from './cmds/start.ts'
import { peers, status } from './cmds/status.ts'
import { requireValues, STANDARD_INPUT, usageMessage } from './flags.ts'

/** All commands, ready to run one. @throws UsageError for a command line that is none, when it is run */
export function program (given: string[]): Argv {
  const args = given.map((each) => each === '-' ? STANDARD_INPUT : each)
  return yargs(args)
    .scriptName('consilium')
    .version(SOFTWARE)
    .usage('$0 <command>: hospitals fine-tune one segmentation model together, with no server anywhere')
    .command(federation).command(init).command(id).command(invite).command(join).command(members).command(revoke).command(leave)
    .command(start).command(status).command(peers).command(page).command(data).command(predict).command(serve).command(corrections)
    .command(evaluate).command(crossEvaluateCommand).command(exportAdapter).command(doctor)
    .command(model).command(audit).command(privacyCommand).command(backup).command(restore).command(simulateCommand)
    .demandCommand(1, 'say which command to run')
    .check(() => requireValues(args))
    .strict()
    .strictCommands()
    .recommendCommands()
    .wrap(null)
    .exitProcess(false)
    .fail((message, error: Error | undefined, command) => {
      if (error != null && error.name !== 'YError') throw error
      throw new UsageError(usageMessage(message, args, String(command.help())))
    })
}
