import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { documents, linesOf, ROOT } from '../unit/documents/markdown.ts'

const run = promisify(execFile)

/** Lines that take seconds, and touch nothing but the folder that this test makes. */
const RUN = [
  /^consilium (init|members|model list|data check (?!.*(dicomweb|ultrasound)).*|revoke PEER_ID|corrections list|federation rotate-key .*)$/,
  /^consilium (evaluate|predict) (?!--round |--adapter |.*dicomweb)/,
  /^consilium federation (show|create --name "Prostate North" (--rounds 20|--method fedper))$/,
  /^consilium (simulate|privacy plan) /,
  /^consilium (invite PEER_ID --name "St. Mary" --ttl 365d|join INVITATION)$/
]

/** The other lines of the pages' blocks, and why; test/unit/documents/command-lines.spec.ts parses them. */
const NOT_RUN: readonly (readonly [RegExp, string])[] = [
  [/^npm (ci|test|run (check|coverage))/, 'what CI itself runs, or what takes as long: .ci/run'],
  [/^npm run testnet -- --help/, 'builds anew, under the feet of the tests beside it'],
  [/^npm (pack|install)/, 'test/e2e/tarball.spec.ts installs what is packed'],
  [/^(npm run airgapped|tar|sha256sum|\.\/)/, 'builds anew: test/e2e/network/airgapped.spec.ts makes, unpacks and installs the archive'],
  [/^docker /, 'needs an engine of containers: test/unit/deploy/oci.spec.ts'],
  [/^(helm|kubectl) /, 'needs a cluster: test/unit/deploy/helm.spec.ts'],
  [/^consilium (init|join -) --home/, 'a folder of the system; the lines of README.md are run'],
  [/^npm run pretrain/, 'takes hours, and writes the bundled base anew: test/unit/pretrain'],
  [/^npm run testnet -- --labels/, 'e2e/network/testnet-methods.spec.ts'],
  [/^npm run testnet -- --(kill|compare|loss|images|liar|partition|classes|reader|hospitals)/, 'e2e/network/testnet.spec.ts'],
  [/^npm run testnet -- --base litemedsam/, 'minutes: test/integration/model/lite-session.spec.ts trains on this base'],
  [/^npm run testnet -- --method /, 'minutes: test/integration/pfedsam/methods.spec.ts trains by this one and others'],
  [/^npm run test:tfjs/, 'some minutes of tfjs-core\'s own tests: before a release and after a change of kernels'],
  [/^npm run bench:pfedsam/, 'minutes to days, and --dry-run plans the longest: test/integration/pfedsam'],
  [/^npm run bench:privacy/, 'minutes to a night: test/integration/privacy'],
  [/^npm run docs:api/, 'test/e2e/public-api.spec.ts'],
  [/^npm run reference/, 'writes pages that test/unit/reference/pages.spec.ts compares with the code'],
  [/^npm run digests/, 'builds anew, and takes two minutes of the processor'],
  [/^npm run setup:tensorflow/, 'installs half a gigabyte: test/unit/setup-tensorflow'],
  [/^python3 -m venv/, 'installs gigabytes for a GPU; docs/engines.md says on which machine it was tried'],
  [/^(npm run example|npx consilium export|python3 examples)/, 'test/e2e/network/examples.spec.ts'],
  [/^npx mocha /, 'this is mocha'],
  [/^consilium doctor/, 'judges this machine, whatever it is: test/e2e/doctor.spec.ts'],
  [/^consilium start /, 'trains until its rounds are finished: test/e2e/network/readme.spec.ts'],
  [/^consilium page/, 'answers until it is stopped: test/integration/page, test/e2e/page.spec.ts'],
  [/^consilium serve /, 'answers until it is stopped: test/integration/viewer'],
  [/^consilium corrections undo ID/, 'a form to fill in: test/integration/viewer'],
  [/^python3 scripts\/viewer/, 'needs MONAI Label\'s client, which is no dependency: test/integration/viewer makes its requests'],
  [/^consilium data (withdraw|readmit) SUBJECT/, 'a form to fill in: test/e2e/network/withdraw.spec.ts'],
  [/^consilium data withdrawn/, 'reads a home that trained: test/e2e/network/withdraw.spec.ts'],
  [/^consilium leave/, 'ends a running site for good: test/e2e/network/membership.spec.ts'],
  [/^consilium status/, 'asks a running daemon: test/e2e/network/site.spec.ts'],
  [/^consilium (data check|predict) .*dicomweb/, 'needs a PACS: test/integration/dicomweb'],
  [/^consilium (data check .*ultrasound|federation create .* --method partial)/, 'draws the marks first: test/e2e/weak-labels.spec.ts'],
  [/^consilium export /, 'needs a finished round: test/e2e/network/examples.spec.ts'],
  [/^consilium (cross-evaluate|evaluate --adapter)/, 'adapters of other sites: test/integration/model/cross-evaluate.spec.ts'],
  [/^consilium (evaluate|predict) --round /, 'needs a federation: test/e2e/network/testnet.spec.ts'],
  [/^consilium audit /, 'needs the ledger of a daemon: test/e2e/network/audit.spec.ts'],
  [/^consilium federation show \|/, 'a form to fill in: test/e2e/admission.spec.ts'],
  [/^consilium model info NAME/, 'a form to fill in: test/e2e/model.spec.ts'],
  [/^consilium id /, 'asks for a passphrase, or takes a key away: test/e2e/network/membership.spec.ts'],
  [/^consilium model import /, 'weights of SAM are no part of the repository: test/e2e/model.spec.ts makes some'],
  [/^consilium federation sign /, 'a second founder: test/e2e/admission.spec.ts'],
  [/^consilium federation (amend|agree)/, 'two founders and a running site: test/e2e/network/amendment.spec.ts'],
  [/^consilium federation create .*(DIR|NAME)/, 'a form to fill in; the line of README.md is run'],
  [/^consilium (invite|join) .*[[|]/, 'a form to fill in; the line of README.md is run']
]
const runs = (line: string): boolean => RUN.some((pattern) => pattern.test(line))

/** A home founds or joins one federation. */
function siteOf (line: string): string {
  if (line.startsWith('consilium join')) return 'south'
  return line.includes(' --method ') ? 'east' : 'north'
}

/** A folder in which README.md and docs/predict.md come true, with the homes of two sites. */
async function furnish (folder: string): Promise<void> {
  const samples = join(ROOT, 'samples/colin27')
  for (const slice of ['065', '074', '080', '089']) {
    for (const kind of ['images', 'masks']) {
      await cp(join(samples, 'hospital-a', kind, `colin27_${slice}.png`), join(folder, 'data', kind, `${slice}.png`))
    }
  }
  await mkdir(join(folder, 'images'))
  for (const file of ['images/slice.png', 'slice.png']) await cp(join(folder, 'data/images/080.png'), join(folder, file))
  const volume = join(samples, 'hospital-c/images/colin27.nii.gz')
  for (const file of ['scan.nii.gz', 'imagesTs/a_0000.nii.gz']) await cp(volume, join(folder, file))
  await cp(join(ROOT, 'test/fixtures/dicom/ct'), join(folder, 'series'), { recursive: true })
}

describe('the command lines in the pages run', function () {
  this.timeout(300_000)
  const lines = documents().flatMap(linesOf).filter(({ fenced }) => fenced).map(({ line }) => line)
  let folder: string
  let peerId = ''
  let invitation = ''

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    await furnish(folder)
    peerId = await at('south', 'consilium init')
  })
  after(async () => { await rm(folder, { recursive: true }) })

  /** As a user of this site types it. */
  async function at (site: string, line: string): Promise<string> {
    const filled = line.replace('/data/prostate', join(folder, 'data')).replace('PEER_ID', peerId).replace('INVITATION', invitation)
      // The sample has 47 slices.
      .replace('--slices 40-90', '--slices 20-30')
    const shell = `consilium () { "${process.execPath}" "${join(ROOT, 'dist/src/cli/index.js')}" "$@"; }; ${filled}`
    const { stdout } = await run('sh', ['-c', shell], { cwd: folder, env: { ...process.env, HOME: join(folder, site) } })
    return stdout.trim()
  }

  it('or stand in one of the lists above, in which nothing is left over', () => {
    const unsaid = lines.filter((line) => !runs(line) && !NOT_RUN.some(([pattern]) => pattern.test(line)))
    expect(unsaid, 'run it, or say why not').to.deep.equal([])
    expect(RUN.filter((pattern) => !lines.some((line) => pattern.test(line))).map(String)).to.deep.equal([])
    expect(NOT_RUN.filter(([pattern]) => !lines.some((line) => pattern.test(line))).map(([pattern]) => String(pattern))).to.deep.equal([])
  })

  for (const line of new Set(lines.filter(runs))) {
    it(line, async () => {
      const said = await at(siteOf(line), line)
      if (line.startsWith('consilium invite')) invitation = said
      expect(said).not.to.equal('')
    })
  }
})
