/** The standard library by path from its folder; `build.mjs` puts it in. */
declare module "moec:library" {
  const library: Readonly<Record<string, string>>;
  export default library;
}
