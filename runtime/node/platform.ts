/** Operating system and processor of this process, as bundles name them. */
export const ownPlatform = `${process.platform}-${process.arch}`;
