"""node-gyp's own gyp, as it would answer on a Mac: writes the makefile from which scripts/check-darwin.mjs takes the flags.

Arguments: the folder of gyp's modules, then what node-gyp hands to gyp.
"""

import sys

sys.path.insert(0, sys.argv.pop(1))

import gyp
import gyp.common
import gyp.xcode_emulation

gyp.common.GetFlavor = lambda params: "mac"
# Asked for defaults of old versions alone; there is no Xcode here to ask.
gyp.xcode_emulation.XcodeVersion = lambda: ("1500", "")

sys.exit(gyp.script_main())
