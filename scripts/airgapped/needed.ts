/** Packages that the lockfile has for others' sake and no module of the program loads. */
const IDLE_PACKAGE = /^@(types|rollup)\//
/** What compilers, editors and readers of a package want; only in its first folder, since a deeper `doc` or `test` may be code. */
const IDLE_FOLDER = /^(tests?|__tests__|docs?|examples?|demos?|bench(marks?)?|coverage|\.github)\//
const IDLE_FILE = /(\.(map|flow|md|markdown|tsbuildinfo|[cm]?ts|cc|cpp|h|gypi?|wat)|[._](test|spec)\.[cm]?js)$/
const LICENCE = /(^|\/)(licen[cs]e|notice|copying|copyright|authors|patents)([._-](?!.*\b[cm]?[jt]s(\.map)?$)[^/]*)?$/i
/** Whole bundles for browsers beside the modules that Node takes, and Node's own headers and manuals. */
const IDLE_PARTS: Readonly<Record<string, RegExp>> = {
  echarts: /^(dist|asset|i18n|theme|extension|ssr)\//,
  '@tensorflow/tfjs-core': /^dist\/tf-core\.(es2017|fesm|min|js)/,
  'classic-level': /^deps\//,
  dcmjs: /^build\/dcmjs\.min\./,
  consilium: /^dist\/src\/.*\.d\.ts$/
}
const NODE = /^node-linux-/

/** What runs on one kind of machine. */
export interface Machine { readonly platform: string, readonly arch: string }

/** Whether a program needs the file of a package on this machine, or its licence asks that it goes along. */
export function isNeeded (name: string, file: string, { platform, arch }: Machine): boolean {
  if (IDLE_PACKAGE.test(name)) return false
  if (LICENCE.test(file)) return true
  if (NODE.test(name)) return name === `node-${platform}-${arch}` && (file === 'bin/node' || file === 'package.json')
  if (isOfOtherMachine(file, { platform, arch })) return false
  return !(IDLE_FOLDER.test(file) || IDLE_FILE.test(file) || IDLE_PARTS[name]?.test(file) === true)
}

/** Compiled code lies in `prebuilds/linux-x64` or, that of onnxruntime, in `bin/napi-v6/linux/x64`. */
function isOfOtherMachine (file: string, { platform, arch }: Machine): boolean {
  const [, folder, runs, on] = /(?:^|\/)(?:prebuilds\/([^/]+)|napi-v\d+\/([^/]+)\/([^/]+))\//.exec(file) ?? []
  if (folder != null) return !folder.split('+').some((each) => each === `${platform}-${arch}` || each === platform)
  return runs != null && (runs !== platform || on !== arch)
}

/** Whether a file is a licence, a notice or a list of authors. */
export function isLicence (file: string): boolean {
  return LICENCE.test(file)
}
