/** TensorFlow's headers and libraries, from wherever the user has them. */
export interface TensorflowSource {
  /** Free space that `provide` needs, bytes. */
  readonly bytes: number
  /**
   * Puts headers into `include`; the libraries stay where they are or are put into `lib`. Resolves with the folder that has the
   * libraries.
   */
  provide (folders: { readonly include: string, readonly lib: string }): Promise<string>
}

/** What the binding links against. */
export const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']

/** The part of TensorFlow's include folder that its C interface needs. */
export const HEADERS = ['tensorflow/c/', 'tensorflow/core/platform/', 'tensorflow/tsl/platform/', 'tsl/platform/', 'xla/tsl/']
