#!/usr/bin/env node
// Does nothing, successfully: better-sqlite3's "prebuild-install || node-gyp rebuild" then neither asks a download site
// nor compiles, and scripts/build.mjs compiles it from its own sources with the headers of this Node.js. npm 11 does
// not run that script at all (package.json, "allowScripts"); npm 10 knows no such switch.
