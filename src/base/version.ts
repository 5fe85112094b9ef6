/** The version in package.json, which a test compares: to read it there would tie the library to its place on the disk. */
export const VERSION = '0.1.0';
