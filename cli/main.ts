#!/usr/bin/env node
/** The `moec` command. */
import { launch } from "./launch.js";

await launch(process.argv.slice(2));
