/** What the system answers when a file can't be read or written, in words. */

/** Our own code beside Node's: of a pipe or a device where a file is wanted. */
export const NOT_PLAIN = "ENOTPLAIN";

/** By the codes of Node's errors. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  EEXIST: "there is something of that name already",
  ENOTDIR: "it is no folder, or a part of its path is none",
  EISDIR: "it is a folder",
  ENOTEMPTY: "the folder is not empty",
  EACCES: "it may not be opened by this user",
  EPERM: "the system does not allow it",
  EROFS: "the disk can only be read",
  ENOSPC: "the disk is full",
  EDQUOT: "the quota of the disk is used up",
  EFBIG: "the file would be larger than the system allows",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open on this machine",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "its links lead in a circle",
  EBUSY: "another program uses it",
  ETXTBSY: "another program runs it",
  [NOT_PLAIN]: "it is no plain file",
  EIO: "the disk does not answer as it should",
};

/** Why a call of the system failed; the code itself where there are no words for it. */
export function systemReason(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? "unknown reason" : (REASONS[code] ?? code);
}

/** The same error with the path of the file that was written: of open files Node does not say which one it is. */
export function withPath(error: unknown, path: string): unknown {
  const isOpenFile = error instanceof Error && "syscall" in error && error.syscall === "write" && !("path" in error);
  return isOpenFile ? Object.assign(error, { path }) : error;
}

/** A failed call about a file, which is somebody's disk and no mistake of ours. */
export function isFileError(error: unknown): error is NodeJS.ErrnoException & { readonly dest?: string } {
  return error instanceof Error && "syscall" in error && "path" in error && "code" in error;
}
