/** The calls of `docteur/fs` in runtimes that have a command line: prints the outcomes. The argument is the image's URL. */
import { outcomes } from "./fs-calls.js";

outcomes(process.argv[2]).then((found) => console.log(JSON.stringify(found)));
