// Written by scripts/generate-errors.mjs from compiler/errors/*.md. Do not edit.
import { makeDiagnostic, type DiagnosticParts, type Message, type Slot } from "./construct.js";
import type { Diagnostic, SourceSpan } from "./diagnostic.js";

/** The sentence of each code, with its slots in braces. */
export const messages = {
  MOE1001: { severity: "error", title: "expected something else", message: "expected {expected}, found {found}" },
  MOE1002: { severity: "error", title: "misspelt opening word", message: "`{word}` opens no {what}; did you mean `{suggestion}`?" },
  MOE1003: { severity: "error", title: "something else belongs here", message: "expected {what}, found {found}" },
  MOE1004: { severity: "error", title: "bracket never closed", message: "`{bracket}` is never closed" },
  MOE1005: { severity: "error", title: "string never closed", message: "this string is never closed" },
  MOE1006: { severity: "error", title: "comment never closed", message: "this comment is never closed" },
  MOE1007: { severity: "error", title: "unknown character", message: "`{text}` is no character of the language" },
  MOE1008: { severity: "error", title: "not a number", message: "`{text}` is no number" },
  MOE1009: { severity: "error", title: "unknown escape", message: "`{text}` is no escape" },
  MOE1010: { severity: "error", title: "nested too deeply", message: "this is nested more than {limit} levels deep" },
  MOE1011: { severity: "error", title: "operators do not chain", message: "`{operator}` does not chain" },
  MOE1012: { severity: "error", title: "spelled as in other languages", message: "write `{right}` instead of `{wrong}`" },
  MOE1013: { severity: "error", title: "reserved word used as a name", message: "`{word}` is a reserved word and cannot be a name" },
  MOE1014: { severity: "error", title: "two statements on one line", message: "a second statement on one line needs a `;` before it" },
  MOE1015: { severity: "error", title: "closing bracket without an opening one", message: "`{bracket}` closes nothing" },
  MOE2001: { severity: "error", title: "unknown name", message: "there is no `{name}` here" },
  MOE2002: { severity: "error", title: "file not found", message: "`{name}` names no file (looked for `{file}`)" },
  MOE2003: { severity: "error", title: "imports go in a circle", message: "these files import each other: {cycle}" },
  MOE2004: { severity: "error", title: "not in that file", message: "`{file}` has no `{name}`" },
  MOE2005: { severity: "error", title: "declared twice", message: "`{name}` is declared twice" },
  MOE2006: { severity: "error", title: "two bodies", message: "`{name}` has two bodies" },
  MOE2008: { severity: "error", title: "not an axis", message: "`{name}` is {found}, not an axis" },
  MOE2009: { severity: "error", title: "unknown type", message: "there is no type `{name}`" },
  MOE2010: { severity: "error", title: "member needs itself", message: "`{name}` is needed to make `{name}`" },
  MOE2011: { severity: "error", title: "axis without a size", message: "nothing says how long axis `{name}` is" },
  MOE2012: { severity: "error", title: "type of a member", message: "`{name}` needs a tensor type" },
  MOE2013: { severity: "error", title: "axis twice in a type", message: "`{name}` has the axis `{axis}` twice" },
  MOE2014: { severity: "error", title: "has no members", message: "{found} has no member `{name}`" },
  MOE2015: { severity: "error", title: "no such member", message: "`{module}` has no member `{name}`" },
  MOE2016: { severity: "error", title: "brackets behind this mean nothing", message: "{found} takes no brackets" },
  MOE2017: { severity: "error", title: "one number picks", message: "{found} is picked from with one number: `pools[i]`" },
  MOE2018: { severity: "error", title: "outside of the list", message: "there is no element {index}: {count}, counted from 0" },
  MOE2019: { severity: "error", title: "say which axis", message: "{found} is taken from by axis name" },
  MOE2020: { severity: "error", title: "unknown storage format", message: "there is no storage format `{name}`" },
  MOE2021: { severity: "error", title: "storage format makes no sense", message: "`{format}` {fault}" },
  MOE2022: { severity: "error", title: "knob does not fit its range", message: "`{name}` {fault}" },
  MOE2023: { severity: "error", title: "default of another type", message: "the default of `{name}` is not {wanted}" },
  MOE2024: { severity: "error", title: "size too large", message: "{value} is too large for a size" },
  MOE2025: { severity: "error", title: "unknown setting", message: "there is no setting `{name}`" },
  MOE2040: { severity: "error", title: "wrong number of operands", message: "`{op}` takes {expected} operands, found {found}" },
  MOE2041: { severity: "error", title: "one axis with two sizes", message: "axis `{axis}` has size {found} here and {expected} in {other} of `{op}`" },
  MOE2042: { severity: "error", title: "axis not found", message: "`{op}` needs an axis `{axis}`, this value has [{axes}]" },
  MOE2043: { severity: "error", title: "wrong element type", message: "`{op}` works on {expected}, this value is {found}" },
  MOE2044: { severity: "error", title: "element types differ", message: "`{op}` joins {left} and {right}" },
  MOE2045: { severity: "error", title: "one axis twice", message: "`{op}` would have the axis `{axis}` twice: [{axes}]" },
  MOE2046: { severity: "error", title: "more than the axis has", message: "`{op}` cannot choose {k} of the {size} along `{axis}`" },
  MOE2047: { severity: "error", title: "split does not fit", message: "axis `{axis}` has size {size}, its parts [{parts}] multiply to {found}" },
  MOE2048: { severity: "error", title: "tensor and routes confused", message: "`{op}` needs {expected} here, found {found}" },
  MOE2049: { severity: "error", title: "slice outside of the axis", message: "{from}..{to} is no part of axis `{axis}` with size {size}" },
  MOE2050: { severity: "error", title: "axis too many", message: "axis `{axis}` has no place here; `{op}` allows [{allowed}]" },
  MOE2051: { severity: "error", title: "negative size", message: "`{attr}` of `{op}` is {size}" },
  MOE2052: { severity: "error", title: "attribute of another form", message: "`{attr}` of `{op}` is {expected}, found {found}" },
  MOE2053: { severity: "error", title: "groups do not divide", message: "{groups} groups do not divide {what} = {size}" },
  MOE2054: { severity: "error", title: "body of another signature", message: "the body of `{op}` has other {part}: expected {expected}, found {found}" },
  MOE2055: { severity: "error", title: "value changes its type", message: "{what} of `{op}` is {expected}, its body gives {found}" },
  MOE2056: { severity: "error", title: "banks and routes differ", message: "the routes choose among {experts} experts along `{axis}`, the banks of `{op}` hold {banks}" },
  MOE2058: { severity: "error", title: "not declared", message: "there is no {what} `{path}`" },
  MOE2059: { severity: "error", title: "value does not fit the state", message: "state `{state}` keeps {expected}, `{op}` gives {found}" },
  MOE2060: { severity: "error", title: "growing axis is not first", message: "`{op}` grows along `{axis}`, which is not the first axis of {found}" },
  MOE2061: { severity: "error", title: "not a scalar", message: "`{op}` needs a single number here, found {found}" },
  MOE2063: { severity: "error", title: "parameter inside a region", message: "`{op}` stands inside of a region" },
  MOE2064: { severity: "error", title: "unknown size", message: "{value} has a size that depends on `{size}`, which no call gives" },
  MOE2065: { severity: "error", title: "nothing of that name", message: "there is no {what} `{name}`" },
  MOE2066: { severity: "error", title: "value of another type", message: "`{name}` is {expected}, but {found} was given" },
  MOE2068: { severity: "error", title: "impossible sizes of a call", message: "`{op}` ({types}) cannot have the sizes of this call: {why}" },
  MOE2069: { severity: "error", title: "cache of another length", message: "cache `{path}` holds {found} positions, the call says {expected}" },
  MOE2070: { severity: "error", title: "used before it is defined", message: "{value} is used before it is defined" },
  MOE2071: { severity: "error", title: "value from outside of the region", message: "{value} belongs to a region around this one" },
  MOE2072: { severity: "error", title: "recorded type is wrong", message: "`{op}` gives {expected}, the graph says {found}" },
  MOE2073: { severity: "error", title: "unknown op", message: "there is no op `{op}`" },
  MOE2074: { severity: "error", title: "unknown attribute", message: "`{op}` has no attribute `{attr}`" },
  MOE2075: { severity: "error", title: "value defined twice", message: "{value} is defined twice" },
  MOE2076: { severity: "error", title: "result is not defined", message: "{value} is returned and not defined in this region" },
  MOE2077: { severity: "error", title: "not the text of a graph", message: "line {line} of the graph: expected {expected}, found {found}" },
  MOE2078: { severity: "error", title: "not inside of that stack", message: "`layer_index` names the stack `{stack}`, which is not around it" },
  MOE2079: { severity: "error", title: "bad declaration in a graph", message: "{what} `{path}` {fault}" },
  MOE2080: { severity: "error", title: "not a tensor", message: "a tensor or a number is needed here, this is {found}" },
  MOE2081: { severity: "error", title: "not known before it runs", message: "a number that is known before anything runs is needed here, this is {found}" },
  MOE2082: { severity: "error", title: "not true or false", message: "something that is true or false is needed here, this is {found}" },
  MOE2083: { severity: "error", title: "a ratio stands alone", message: "`n:m` only means something in a storage format" },
  MOE2084: { severity: "error", title: "two arms of different types", message: "one arm gives {first}, the other {second}" },
  MOE2085: { severity: "error", title: "no branch for this mode", message: "nothing is said for {mode}" },
  MOE2086: { severity: "error", title: "does not divide", message: "{bottom} does not divide {top}" },
  MOE2087: { severity: "error", title: "not a size", message: "a size is a whole number or made of axes, this is {found}" },
  MOE2088: { severity: "error", title: "division by zero", message: "this is zero" },
  MOE2089: { severity: "error", title: "no axis to work on", message: "{found} has no axis" },
  MOE2090: { severity: "error", title: "product of strangers", message: "the right side has no axis `{axis}`, the last one of the left side" },
  MOE2091: { severity: "error", title: "taken apart wrongly", message: "{wanted} names for {found}" },
  MOE2092: { severity: "error", title: "not of the declared type", message: "`{name}` is declared with another type, this is {found}" },
  MOE2093: { severity: "error", title: "mode said twice", message: "`{mode}` is said twice" },
  MOE2094: { severity: "error", title: "unknown word", message: "`{found}` is none of {words}" },
  MOE2095: { severity: "error", title: "an axis is needed", message: "the name of an axis is needed here" },
  MOE2096: { severity: "error", title: "axis without a size here", message: "nothing says how long `{axis}` is" },
  MOE2097: { severity: "error", title: "unknown unit", message: "`{unit}` is no unit" },
  MOE2098: { severity: "error", title: "an arrow is needed", message: "this is written with an arrow: {wanted}" },
  MOE2099: { severity: "error", title: "two open sizes", message: "the sizes of {axes} are not known" },
  MOE2103: { severity: "error", title: "argument of another kind", message: "`{name}` of {callee} cannot be {found}" },
  MOE2104: { severity: "error", title: "argument of another number type", message: "`{name}` of {callee} is {wanted}, this is {found}" },
  MOE2105: { severity: "error", title: "argument without an axis", message: "`{name}` of {callee} needs an axis for `{axis}`, this is {found}" },
  MOE2106: { severity: "error", title: "argument of another size", message: "`{name}` of {callee} has {found} along `{axis}`, {wanted} are asked for" },
  MOE2107: { severity: "error", title: "routes among other experts", message: "`{name}` of {callee} chooses among the {found} experts of axis `{axis}`, {wanted} are asked for" },
  MOE2110: { severity: "error", title: "cannot be called", message: "{found} cannot be called" },
  MOE2111: { severity: "error", title: "no body to call", message: "`{name}` has no body" },
  MOE2112: { severity: "error", title: "too many arguments", message: "{callee} takes {count}" },
  MOE2113: { severity: "error", title: "no such parameter", message: "{callee} has no parameter `{name}`" },
  MOE2114: { severity: "error", title: "argument twice", message: "{callee} is given `{name}` twice" },
  MOE2115: { severity: "error", title: "argument missing", message: "{callee} needs `{name}`" },
  MOE2116: { severity: "error", title: "calls itself without end", message: "{callee} calls itself without end" },
  MOE2117: { severity: "error", title: "not the promised result", message: "{callee} promises another result, this is {found}" },
  MOE2120: { severity: "error", title: "not an axis argument", message: "`{name}` is given its axes as `{name}[D, E]`" },
  MOE2121: { severity: "error", title: "no such axis", message: "`{name}` has no axis `{axis}`" },
  MOE2122: { severity: "error", title: "too many axes", message: "`{name}` has {count}" },
  MOE2123: { severity: "error", title: "axis not given", message: "`{name}` needs a size for `{axis}`" },
  MOE2130: { severity: "error", title: "an empty bank", message: "a bank has at least one expert, not {count}" },
  MOE2131: { severity: "error", title: "not an expert", message: "a bank is made of modules, this is {found}" },
  MOE2132: { severity: "error", title: "not a layer", message: "a stack is made of modules, this is {found}" },
  MOE2133: { severity: "error", title: "no layers", message: "a stack has at least one layer, not {count}" },
  MOE2134: { severity: "error", title: "carried value of another type", message: "`{name}` is declared with other axes, it starts as {found}" },
  MOE2135: { severity: "error", title: "another number of carried values", message: "`{layer}` gives {found}, {wanted} go from turn to turn" },
  MOE2136: { severity: "error", title: "scan without rows", message: "`scan` carries {wanted} and gives {found}: none is left for a row" },
  MOE2137: { severity: "error", title: "scan along no axis", message: "`scan` goes along an axis, from its first entry to its last: `scan(t in 0..T, …)`" },
  MOE2138: { severity: "error", title: "row with the axis of the rows", message: "a row of `scan` is {found}: it has the axis `{axis}`, along which the rows lie" },
  MOE2139: { severity: "error", title: "scan that ends early", message: "`scan` takes no `until`: it keeps a row for each entry of its axis" },
  MOE2140: { severity: "error", title: "state inside an expert", message: "`{name}` is a state of an expert" },
  MOE2141: { severity: "error", title: "only a state can be set", message: "`{name}` cannot be set: it is {found}" },
  MOE2142: { severity: "error", title: "value with other axes than its state", message: "`{name}` keeps {keeps}, it is set to {found}" },
  MOE2143: { severity: "error", title: "not a cache", message: "rows are appended to a cache, this is {found}" },
  MOE2145: { severity: "error", title: "choice among all tokens in a decoder", message: "the choice depends on the other tokens of the call, in a model that keeps a cache" },
  MOE2150: { severity: "error", title: "tokens are not last", message: "`{axis}` is not the last token axis of the weights" },
  MOE2151: { severity: "error", title: "more than there are", message: "{k} of {experts} experts cannot be chosen" },
  MOE2152: { severity: "error", title: "nothing chosen", message: "at least one expert is chosen, not {k}" },
  MOE2154: { severity: "error", title: "not a bank", message: "experts come as a bank, this is {found}" },
  MOE2156: { severity: "error", title: "an expert gives no tensor", message: "the experts give {found}" },
  MOE2157: { severity: "error", title: "experts of different types", message: "`{first}` gives {firstType}, `{second}` gives {secondType}" },
  MOE2158: { severity: "error", title: "overflow without a capacity", message: "nothing can overflow without a capacity" },
  MOE2159: { severity: "error", title: "experts without an affinity", message: "{found} cannot be asked for its affinity" },
  MOE2160: { severity: "error", title: "no axis of queries", message: "q is {q} and k is {k}: no axis is the one of the queries" },
  MOE2161: { severity: "error", title: "no axis of keys", message: "k is {k} and v is {v}: no axis is the one of the keys" },
  MOE2162: { severity: "error", title: "no axis of values", message: "v is {v}: it has no axis of its own" },
  MOE2163: { severity: "error", title: "not a mask", message: "a mask is needed here, this is {found}" },
  MOE2164: { severity: "error", title: "a mask answers yes or no", message: "the mask gives {found}" },
  MOE2170: { severity: "error", title: "no body", message: "`{name}` has no body" },
  MOE2171: { severity: "error", title: "contract asks for a tensor", message: "`{name}` gives {found}, its contract asks for a tensor" },
  MOE2172: { severity: "error", title: "a router gives routes", message: "`{name}` gives {found}, a router gives routes" },
  MOE2173: { severity: "error", title: "a mask decides", message: "`{name}` gives {found}, a mask gives true or false" },
  MOE2174: { severity: "error", title: "no entry point", message: "`{name}` has no entry point" },
  MOE2175: { severity: "error", title: "a function keeps nothing", message: "`{name}` is a {contract} and cannot have a {member}" },
  MOE2176: { severity: "error", title: "a loss is one number", message: "`{name}` gives {found}, a loss is one number" },
  MOE2178: { severity: "error", title: "an expert sees one token", message: "`{axis}` is an axis of tokens, an expert sees one token" },
  MOE2179: { severity: "error", title: "depends on the batch without saying so", message: "what `{name}` gives one token depends on the others" },
  MOE2180: { severity: "error", title: "named twice", message: "`{path}` is named twice" },
  MOE2181: { severity: "error", title: "not a path of a parameter", message: "this is no path of a parameter" },
  MOE2182: { severity: "error", title: "ends at a module", message: "this path ends at {found}" },
  MOE2183: { severity: "error", title: "unknown way to read", message: "`{name}` is no way to read a tensor" },
  MOE2184: { severity: "error", title: "a name in quotes", message: "the name of a tensor is written in quotes" },
  MOE2185: { severity: "error", title: "nothing to count", message: "`{name}` counts nothing here" },
  MOE2186: { severity: "error", title: "index not used", message: "the name does not say which `{name}`" },
  MOE2187: { severity: "error", title: "other axes than the parameter", message: "`{path}` has the axes [{wanted}], these are [{found}]" },
  MOE2191: { severity: "error", title: "which model", message: "the file has no single model to build: {models}" },
  MOE2192: { severity: "error", title: "size not given", message: "`{model}` needs a size for `{axis}`" },
  MOE2193: { severity: "error", title: "no such size", message: "`{model}` has no axis or parameter `{name}`" },
  MOE2194: { severity: "error", title: "input that cannot be given", message: "`{name}` of entry `{entry}` cannot be given at run time" },
  MOE2195: { severity: "error", title: "output that cannot be taken", message: "entry `{entry}` gives something that is no tensor" },
  MOE2196: { severity: "error", title: "cannot be built", message: "the program cannot be built" },
  MOE2200: { severity: "error", title: "gradients are not built yet", message: "`grad {name}` has no effect: nothing computes gradients yet" },
  MOE2260: { severity: "error", title: "not the type of the parameter", message: "`{path}` is {wanted}, but the line gives {found}" },
  MOE2261: { severity: "error", title: "nothing sets the parameter", message: "nothing sets {paths}" },
  MOE2262: { severity: "error", title: "no such parameter to set", message: "`{name}` has no parameter or module `{path}`" },
  MOE2263: { severity: "error", title: "several sources have it", message: "`{path}` is in {sources}; a line says which one to take" },
  MOE2264: { severity: "error", title: "set twice", message: "a line before sets `{path}`" },
  MOE2265: { severity: "error", title: "not in the source", message: "there is no `{path}`, which this line needs for `{target}`" },
  MOE2266: { severity: "warning", title: "source not used", message: "nothing of `{name}` is used" },
  MOE2267: { severity: "error", title: "not a line of a recipe", message: "this sets nothing" },
  MOE2268: { severity: "error", title: "only a recipe sets parameters", message: "nothing can be set here" },
  MOE2269: { severity: "error", title: "not a module", message: "a recipe needs a module for `{name}`, but this is {found}" },
  MOE2270: { severity: "error", title: "the recipe does not apply", message: "{message} does not hold" },
  MOE2271: { severity: "error", title: "a recipe cannot be called here", message: "`{name}` makes a module: `let m = {name}(…)` in a test, or a line that sets a module in a recipe" },
  MOE2272: { severity: "error", title: "reads what it makes", message: "`{name}` is what the recipe makes; only sources can be read" },
  MOE2273: { severity: "error", title: "recipe applies itself", message: "`{name}` applies itself" },
  MOE2280: { severity: "error", title: "cache filled twice in a call", message: "the rows of `{path}` are appended {times} times in one call" },
  MOE2281: { severity: "error", title: "axis of queries open", message: "{axes} could each be the axis of queries; `query: …` says which one" },
  MOE2282: { severity: "error", title: "size below one", message: "`{axis}` of `{model}` cannot be {size}: axes begin at 1" },
  MOE2290: { severity: "error", title: "axis that no argument decides", message: "{callee} needs its axis `{axis}`, and no argument of this call decides it" },
  MOE3101: { severity: "error", title: "unknown pass", message: "there is no pass `{name}`; the passes are {known}" },
  MOE3102: { severity: "error", title: "pass broke the graph", message: "pass `{pass}` made a graph of `{program}` that is not valid: {problem}" },
  MOE3301: { severity: "error", title: "op has no kernel", message: "`{op}` cannot run on target `{target}`: {reason}" },
  MOE3302: { severity: "error", title: "memory limit", message: "the plan needs {needed} bytes, and target `{target}` addresses {limit}: weights {weights}, state {state}, values of one call {arena}, inputs and outputs {io}" },
  MOE3303: { severity: "error", title: "size not known at build", message: "{what} has the size `{size}`, which is known only at run time" },
  MOE3304: { severity: "error", title: "blocks do not fit", message: "`{path}` cannot be stored as {storage}: its axis {axis} has {size} elements, not a multiple of {block}" },
  MOE3305: { severity: "error", title: "too many numbers in one buffer", message: "`{buffer}` has {bytes} bytes, {count} of {element}, and kernels of target `{target}` count to {most}" },
  MOE3350: { severity: "error", title: "format without kernels", message: "`{path}` cannot be stored as {storage} here: only native kernels compute with it" },
  MOE3351: { severity: "error", title: "cache without whole blocks", message: "the cache `{path}` cannot be stored as {storage}: its axis {axis} has {size} elements, not a multiple of {block}" },
  MOE3352: { severity: "error", title: "cache format without kernels", message: "the cache `{path}` cannot be stored as {storage} on {target}: WebAssembly and native kernels alone read it" },
  MOE3370: { severity: "error", title: "mixture in an expert", message: "an expert that holds a mixture itself cannot run on target `{target}`" },
  MOE3371: { severity: "error", title: "open number of slots", message: "routes with `{size}` slots for each row cannot run on target `{target}`" },
  MOE4201: { severity: "error", title: "LLVM is not here", message: "native kernels can't be compiled here: {reason}" },
  MOE4202: { severity: "error", title: "LLVM refuses a module", message: "LLVM refused the kernels for {target}: {reason}" },
  MOE4203: { severity: "error", title: "native code can't run here", message: "native code can't run here: {reason}" },
  MOE4204: { severity: "error", title: "the processor has none of the levels", message: "the bundle has native kernels for {levels}; {reason}" },
  MOE4205: { severity: "error", title: "the system refuses memory", message: "the system refuses {bytes} for {what}: {reason}" },
  MOE4206: { severity: "error", title: "an object can't be loaded", message: "`{file}` can't be loaded: {reason}" },
  MOE4207: { severity: "error", title: "a file of weights changed while it was in use", message: "`{file}` changed while the model was running: {reason}" },
  MOE4208: { severity: "error", title: "a thread can't be started", message: "thread {thread} of {threads} can't be started: {reason}" },
  MOE4209: { severity: "error", title: "the engine refuses memory", message: "this process gets no more memory: {reason}" },
  MOE4230: { severity: "error", title: "no CUDA here", message: "CUDA can't be used here: {reason}" },
  MOE4231: { severity: "error", title: "the driver refuses the kernels", message: "the kernels of {file} can't be loaded on {gpu}: {reason}" },
  MOE4232: { severity: "error", title: "no code for this GPU", message: "the bundle has CUDA code for {available}, which {gpu} can't run, and its source can't be compiled here: {reason}" },
  MOE4233: { severity: "error", title: "the GPU has too little memory", message: "{what} need {needed}, and {gpu} has {free} free" },
  MOE4234: { severity: "error", title: "the GPU failed", message: "the CUDA driver says {error} to {call}" },
  MOE4235: { severity: "warning", title: "no CUDA compiler", message: "{tool} can't be started, so the bundle has the source of its CUDA kernels and no compiled code: {reason}" },
  MOE4236: { severity: "error", title: "the CUDA compiler refuses the kernels", message: "{tool} refuses the kernels for {architecture}: {reason}" },
  MOE4240: { severity: "error", title: "No matrices in registers", message: "{target} has no {lacks}" },
  MOE4280: { severity: "error", title: "native kernels for another system or processor", message: "the bundle has native kernels for {platform} ({levels}); this machine is {here}" },
  MOE4301: { severity: "error", title: "worker can't start", message: "the model's worker can't run in this page: {reason}" },
  MOE4302: { severity: "error", title: "page is not secure", message: "{origin} is neither https nor localhost, and only there a browser can check what it has loaded" },
  MOE4303: { severity: "error", title: "the runtime of bundles is not built", message: "{folder} lacks {file}, which bundles carry" },
  MOE4304: { severity: "error", title: "file not fetched", message: "`{url}` can't be fetched: {reason}" },
  MOE4310: { severity: "error", title: "kernel binds too much", message: "kernel {kernel} needs {needed} storage buffers, WebGPU grants {limit}" },
  MOE4311: { severity: "error", title: "model exceeds the GPU's limits", message: "{what} needs {needed}, this GPU binds at most {limit} at once" },
  MOE4312: { severity: "error", title: "GPU driver refuses a kernel", message: "kernel {kernel}: {reason}" },
  MOE4313: { severity: "error", title: "GPU failed", message: "{reason}" },
  MOE4314: { severity: "error", title: "no GPU here", message: "WebGPU can't be used here: {reason}" },
  MOE4501: { severity: "error", title: "No such vector on this target", message: "kernel {kernel} uses {type}, which this target has no register for" },
  MOE4502: { severity: "error", title: "Target has one thread in a block", message: "kernel {kernel} wants {threads} threads in a block, but this target has one" },
  MOE4503: { severity: "error", title: "Printer of another target", message: "target {target} does not belong to the {wanted} printer" },
  MOE4504: { severity: "error", title: "Block does not fit on this target", message: "kernel {kernel} wants {wanted} {what} in a block; {target} has {limit}" },
  MOE5101: { severity: "error", title: "not a checkpoint", message: "the file is none of GGUF, safetensors and ONNX" },
  MOE5102: { severity: "error", title: "file is cut off", message: "{what} needs {needed} bytes at offset {offset}, but the file has {size}" },
  MOE5103: { severity: "error", title: "unsupported GGUF version", message: "GGUF version {version} is not supported, only version 3" },
  MOE5104: { severity: "error", title: "impossible count", message: "{what} says {count}, more than the {limit} that can be there" },
  MOE5105: { severity: "error", title: "number too large", message: "{what} is {value}, beyond the exact range of 2^53" },
  MOE5106: { severity: "error", title: "text is not UTF-8", message: "{what} is not valid UTF-8" },
  MOE5107: { severity: "error", title: "name appears twice", message: "{what} `{name}` appears twice" },
  MOE5108: { severity: "error", title: "unsupported tensor type", message: "tensor `{name}` is stored as {type}, which is not supported" },
  MOE5109: { severity: "error", title: "tensor outside the file", message: "tensor `{name}` lies at bytes {start} to {end}, outside the {size} bytes of the file" },
  MOE5110: { severity: "error", title: "tensors share bytes", message: "tensors `{first}` and `{second}` share bytes of the file" },
  MOE5111: { severity: "error", title: "impossible shape", message: "tensor `{name}` has shape [{shape}], but {reason}" },
  MOE5112: { severity: "error", title: "bad metadata", message: "metadata `{key}`: {reason}" },
  MOE5113: { severity: "error", title: "bad alignment", message: "{what} is {value}, but {reason}" },
  MOE5114: { severity: "error", title: "damaged safetensors header", message: "the safetensors header is damaged: {reason}" },
  MOE5115: { severity: "error", title: "damaged shard index", message: "the index of the sharded checkpoint is damaged: {reason}" },
  MOE5116: { severity: "error", title: "no such tensor", message: "the checkpoint has no tensor `{name}`" },
  MOE5117: { severity: "error", title: "tensor cannot be written", message: "tensor `{name}` can't be written: {reason}" },
  MOE5118: { severity: "error", title: "value cannot be quantized", message: "value {value} in the block at index {index} can't be quantized" },
  MOE5119: { severity: "error", title: "unknown model family", message: "{where} `{name}` is not a model family that moec knows" },
  MOE5120: { severity: "error", title: "bad model config", message: "config `{key}` {reason}" },
  MOE5121: { severity: "error", title: "unsupported model option", message: "config `{key}` is {value}, which is not supported" },
  MOE5122: { severity: "error", title: "tensor of another shape", message: "tensor `{name}` has shape [{shape}], the config asks for [{expected}]" },
  MOE5123: { severity: "error", title: "file cannot be read", message: "can't read `{path}`: {reason}" },
  MOE5124: { severity: "error", title: "tensors without a place", message: "the checkpoint has tensors that a {family} model does not have: {names}" },
  MOE5125: { severity: "error", title: "no GGUF of this family", message: "a `{family}` checkpoint cannot be exported as GGUF" },
  MOE5126: { severity: "error", title: "spec is not the checkpoint's", message: "`{spec}` computes something else than the `{family}` checkpoint whose weights it reads" },
  MOE5127: { severity: "error", title: "parts of different models", message: "`{part}` does not fit the other parts of its model: {reason}" },
  MOE5128: { severity: "error", title: "not said in GGUF", message: "GGUF can't say this model's `{said}`: readers of the file would compute `{read}`" },
  MOE5201: { severity: "error", title: "tokenizer file is not JSON", message: "{file} is not JSON: {reason}" },
  MOE5202: { severity: "error", title: "tokenizer file has another form", message: "{file}, at {path}: {reason}" },
  MOE5203: { severity: "error", title: "unsupported tokenizer part", message: "the tokenizer uses {part}, which is not supported" },
  MOE5204: { severity: "error", title: "damaged vocabulary", message: "the vocabulary is damaged: {reason}" },
  MOE5205: { severity: "error", title: "no embedded tokenizer", message: "the GGUF file has no usable tokenizer: {reason}" },
  MOE5206: { severity: "error", title: "unsupported embedded tokenizer", message: "the GGUF tokenizer has {key} `{value}`, which is not supported" },
  MOE5207: { severity: "error", title: "token id out of range", message: "token id {id} is not in the vocabulary of {size} tokens" },
  MOE5208: { severity: "error", title: "unknown special token", message: "{file} names `{token}` as {role}, but the vocabulary has no such token" },
  MOE5209: { severity: "error", title: "tokenizer not for GGUF", message: "this tokenizer cannot be written into a GGUF file: {reason}" },
  MOE5301: { severity: "error", title: "not a bundle", message: "`{path}` is not a bundle: {reason}" },
  MOE5302: { severity: "error", title: "damaged manifest", message: "the manifest is damaged at `{at}`: {reason}" },
  MOE5303: { severity: "error", title: "bundle of another version", message: "the bundle has ABI {found}, this moec runs ABI {expected}" },
  MOE5304: { severity: "error", title: "missing bundle file", message: "the bundle has no file `{file}`" },
  MOE5305: { severity: "error", title: "bundle file of another size", message: "`{file}` has {found} bytes, the manifest says {expected}" },
  MOE5306: { severity: "error", title: "bundle file of another content", message: "`{file}` does not have the SHA-256 that the manifest says" },
  MOE5307: { severity: "error", title: "path outside the bundle", message: "`{path}` is not a plain path inside the bundle" },
  MOE5308: { severity: "error", title: "device not in the bundle", message: "the bundle has no kernels for `{device}`; it has {available}" },
  MOE5309: { severity: "error", title: "device cannot run here", message: "`{device}` can't run here: {reason}" },
  MOE5310: { severity: "error", title: "weights exceed the memory", message: "{target} has {limit} of memory, the model needs {needed}: {weights} of weights, {state} of state, {arena} of workspace" },
  MOE5311: { severity: "error", title: "folder is not a bundle", message: "`{path}` exists and is not a bundle; it is left as it is" },
  MOE5312: { severity: "error", title: "damaged plan", message: "the plan is damaged at `{at}`: {reason}" },
  MOE5313: { severity: "error", title: "bundle without tokenizer", message: "the bundle has no tokenizer, so it can't read or write text" },
  MOE5314: { severity: "error", title: "build in progress", message: "another build of `{path}` is running (process {process})" },
  MOE5320: { severity: "error", title: "context full", message: "the context holds {limit} positions; {past} are used and {asked} more were asked for" },
  MOE5321: { severity: "error", title: "bad input", message: "input `{name}` of `{entry}`: {reason}" },
  MOE5322: { severity: "error", title: "no such entry point", message: "the bundle has no entry point `{name}`; it has {available}" },
  MOE5323: { severity: "error", title: "bad option", message: "option `{name}` is {value}; it must be {expected}" },
  MOE5324: { severity: "error", title: "model was disposed", message: "the model was disposed; it can't {action} any more" },
  MOE5325: { severity: "error", title: "model is busy", message: "the model is busy with another call" },
  MOE5326: { severity: "error", title: "no names for this checkpoint format", message: "model `{model}` says no tensor names for {format} checkpoints" },
  MOE5327: { severity: "error", title: "parameter without tensor", message: "parameter `{path}` has no tensor: {reason}" },
  MOE5329: { severity: "error", title: "kernel failed", message: "kernel `{kernel}` (`{label}`) failed: {reason}" },
  MOE5330: { severity: "error", title: "not a language model", message: "`{name}` has no entry point that turns token ids into logits, so it can't write text" },
  MOE5401: { severity: "error", title: "project file is not YAML", message: "moec.yaml: {reason}" },
  MOE5402: { severity: "error", title: "wrong key in the project file", message: "moec.yaml, `{at}`: {reason}" },
  MOE5403: { severity: "error", title: "no project", message: "`{path}` is no project: {reason}" },
  MOE5404: { severity: "error", title: "file exists already", message: "`{path}` exists already; nothing was written" },
  MOE5407: { severity: "error", title: "no weights", message: "`{file}` has no weights: name a checkpoint in moec.yaml, or give --random" },
  MOE5420: { severity: "error", title: "no cost", message: "there is no cost of `{name}`: {reason}" },
  MOE5421: { severity: "error", title: "a size is missing", message: "`{name}` of `{model}` has neither a default nor a value" },
  MOE5440: { severity: "error", title: "no such recipe", message: "`{file}` has {recipes}; say which recipe to run" },
  MOE5441: { severity: "error", title: "no checkpoint of a part", message: "`{name}` is declared as {contract}; a conversion reads and writes checkpoints of models" },
  MOE5442: { severity: "error", title: "sources of the recipe", message: "no file is given for {names}" },
  MOE5443: { severity: "error", title: "not kept in this format", message: "{format} files do not hold {type}" },
  MOE5444: { severity: "error", title: "no experts to count", message: "`{name}` has no mixture whose routes can be traced, so nothing says which expert a token uses" },
  MOE5445: { severity: "warning", title: "tensors that nothing reads", message: "{count} of the checkpoint's {all} tensors are read by no parameter of `{model}`: {names}" },
  MOE5446: { severity: "error", title: "value not kept by the type", message: "tensor `{name}` has the value {value}, which {type} does not hold" },
  MOE5447: { severity: "error", title: "checkpoint not written", message: "`{path}` can't be written: {reason}" },
  MOE5448: { severity: "error", title: "another checkpoint in the folder", message: "`{path}` holds other checkpoint files: {files}" },
  MOE5449: { severity: "error", title: "no such source", message: "{names} is no source of `{recipe}`; it has {sources}" },
  MOE5450: { severity: "error", title: "no tensor for the recipe", message: "the file for `{name}` {fault}" },
  MOE5460: { severity: "error", title: "file or folder cannot be used", message: "can't use `{path}`: {reason}" },
  MOE5461: { severity: "error", title: "wrong command line", message: "{reason}" },
  MOE5465: { severity: "error", title: "no such device to train on", message: "there is no figure for the device `{name}`; there are {names}" },
  MOE5466: { severity: "error", title: "experts over too many devices", message: "the experts of `{model}` cannot be spread over {devices} devices: its smallest bank has {experts}" },
  MOE5467: { severity: "error", title: "files cannot be put back", message: "can't use `{path}`: {reason}; and not all files could be put back: {left}" },
  MOE5468: { severity: "error", title: "more tokens than rows", message: "the tokenizer has {tokens} tokens, but the model has rows for {rows}" },
  MOE5501: { severity: "error", title: "Kernel leaves a buffer", message: "kernel {kernel}: element {index} of {buffer} is {access}, but it lies outside of the buffer or off its alignment" },
  MOE5502: { severity: "error", title: "Kernel divides an integer by zero", message: "kernel {kernel} divides an i32 by zero, or -2147483648 by -1" },
  MOE5503: { severity: "error", title: "Threads of a block miss a barrier", message: "kernel {kernel}: some threads of a block ended while others wait at a barrier" },
  MOE5504: { severity: "error", title: "No such kernel", message: "there is no kernel called {kernel}" },
  MOE5505: { severity: "error", title: "Kernel is launched with other arguments", message: "kernel {kernel} takes {wanted}, but was launched with {given}" },
  MOE5506: { severity: "error", title: "Buffer is not aligned", message: "kernel {kernel}: buffer {buffer} lies at byte {address}, which is no multiple of its element size" },
  MOE5511: { severity: "error", title: "address is not free", message: "{address} can't be listened on: {reason}" },
  MOE5512: { severity: "error", title: "exposed without a key", message: "{host} can be reached from other machines, so requests need a key" },
  MOE5513: { severity: "error", title: "request body is too large", message: "the body is larger than {limit} bytes" },
  MOE5514: { severity: "error", title: "request body is not JSON", message: "the body is not a JSON object: {reason}" },
  MOE5515: { severity: "error", title: "wrong parameter of a request", message: "`{name}`: {reason}" },
  MOE5516: { severity: "error", title: "request from another site", message: "{reason}" },
  MOE5517: { severity: "error", title: "key is missing or wrong", message: "the request has no key or a wrong one" },
  MOE5518: { severity: "error", title: "no such route", message: "there is no {method} {path}" },
  MOE5519: { severity: "error", title: "queue is full", message: "{waiting} requests wait already" },
  MOE5520: { severity: "error", title: "model can't do that", message: "{name} {reason}" },
  MOE5521: { severity: "error", title: "server is closing", message: "the server is closing and takes no more requests" },
  MOE5522: { severity: "error", title: "request is too slow", message: "the body did not arrive within {seconds} s" },
  MOE5523: { severity: "error", title: "no such model", message: "there is no model `{name}` here; there is `{known}`" },
  MOE5524: { severity: "error", title: "chat template fails", message: "the model's chat template fails: {reason}" },
  MOE5525: { severity: "error", title: "chat template does not parse", message: "the chat template of {name} does not parse, so chats are refused: {reason}" },
  MOE5601: { severity: "error", title: "no ONNX counterpart", message: "`{op}` at {at} cannot be written as ONNX: {reason}" },
  MOE5602: { severity: "error", title: "not for ONNX", message: "{what} cannot be exported: {reason}" },
  MOE5610: { severity: "error", title: "operator cannot say this", message: "{operator} cannot say `{op}` at {at}: {reason}" },
  MOE5611: { severity: "error", title: "damaged ONNX file", message: "the ONNX file is damaged at byte {offset}: {reason}" },
  MOE5612: { severity: "error", title: "external data elsewhere", message: "the numbers of `{name}` lie in `{location}`, which cannot be read: {reason}" },
  MOE5613: { severity: "error", title: "ONNX needs a spec", message: "`{source}` is an ONNX file: moec reads its numbers, not its graph, so the spec has to be there already" },
} as const satisfies Readonly<Record<string, Message>>;

/** Every code that moec can say. */
export type ErrorCode = keyof typeof messages;

/** What the braces in the message of a code must be filled with. */
export interface MessageSlots {
  readonly MOE1001: { readonly expected: Slot; readonly found: Slot };
  readonly MOE1002: { readonly word: Slot; readonly what: Slot; readonly suggestion: Slot };
  readonly MOE1003: { readonly what: Slot; readonly found: Slot };
  readonly MOE1004: { readonly bracket: Slot };
  readonly MOE1005: Readonly<Record<string, never>>;
  readonly MOE1006: Readonly<Record<string, never>>;
  readonly MOE1007: { readonly text: Slot };
  readonly MOE1008: { readonly text: Slot };
  readonly MOE1009: { readonly text: Slot };
  readonly MOE1010: { readonly limit: Slot };
  readonly MOE1011: { readonly operator: Slot };
  readonly MOE1012: { readonly right: Slot; readonly wrong: Slot };
  readonly MOE1013: { readonly word: Slot };
  readonly MOE1014: Readonly<Record<string, never>>;
  readonly MOE1015: { readonly bracket: Slot };
  readonly MOE2001: { readonly name: Slot };
  readonly MOE2002: { readonly name: Slot; readonly file: Slot };
  readonly MOE2003: { readonly cycle: Slot };
  readonly MOE2004: { readonly file: Slot; readonly name: Slot };
  readonly MOE2005: { readonly name: Slot };
  readonly MOE2006: { readonly name: Slot };
  readonly MOE2008: { readonly name: Slot; readonly found: Slot };
  readonly MOE2009: { readonly name: Slot };
  readonly MOE2010: { readonly name: Slot };
  readonly MOE2011: { readonly name: Slot };
  readonly MOE2012: { readonly name: Slot };
  readonly MOE2013: { readonly name: Slot; readonly axis: Slot };
  readonly MOE2014: { readonly found: Slot; readonly name: Slot };
  readonly MOE2015: { readonly module: Slot; readonly name: Slot };
  readonly MOE2016: { readonly found: Slot };
  readonly MOE2017: { readonly found: Slot };
  readonly MOE2018: { readonly index: Slot; readonly count: Slot };
  readonly MOE2019: { readonly found: Slot };
  readonly MOE2020: { readonly name: Slot };
  readonly MOE2021: { readonly format: Slot; readonly fault: Slot };
  readonly MOE2022: { readonly name: Slot; readonly fault: Slot };
  readonly MOE2023: { readonly name: Slot; readonly wanted: Slot };
  readonly MOE2024: { readonly value: Slot };
  readonly MOE2025: { readonly name: Slot };
  readonly MOE2040: { readonly op: Slot; readonly expected: Slot; readonly found: Slot };
  readonly MOE2041: { readonly axis: Slot; readonly found: Slot; readonly expected: Slot; readonly other: Slot; readonly op: Slot };
  readonly MOE2042: { readonly op: Slot; readonly axis: Slot; readonly axes: Slot };
  readonly MOE2043: { readonly op: Slot; readonly expected: Slot; readonly found: Slot };
  readonly MOE2044: { readonly op: Slot; readonly left: Slot; readonly right: Slot };
  readonly MOE2045: { readonly op: Slot; readonly axis: Slot; readonly axes: Slot };
  readonly MOE2046: { readonly op: Slot; readonly k: Slot; readonly size: Slot; readonly axis: Slot };
  readonly MOE2047: { readonly axis: Slot; readonly size: Slot; readonly parts: Slot; readonly found: Slot };
  readonly MOE2048: { readonly op: Slot; readonly expected: Slot; readonly found: Slot };
  readonly MOE2049: { readonly from: Slot; readonly to: Slot; readonly axis: Slot; readonly size: Slot };
  readonly MOE2050: { readonly axis: Slot; readonly op: Slot; readonly allowed: Slot };
  readonly MOE2051: { readonly attr: Slot; readonly op: Slot; readonly size: Slot };
  readonly MOE2052: { readonly attr: Slot; readonly op: Slot; readonly expected: Slot; readonly found: Slot };
  readonly MOE2053: { readonly groups: Slot; readonly what: Slot; readonly size: Slot };
  readonly MOE2054: { readonly op: Slot; readonly part: Slot; readonly expected: Slot; readonly found: Slot };
  readonly MOE2055: { readonly what: Slot; readonly op: Slot; readonly expected: Slot; readonly found: Slot };
  readonly MOE2056: { readonly experts: Slot; readonly axis: Slot; readonly op: Slot; readonly banks: Slot };
  readonly MOE2058: { readonly what: Slot; readonly path: Slot };
  readonly MOE2059: { readonly state: Slot; readonly expected: Slot; readonly op: Slot; readonly found: Slot };
  readonly MOE2060: { readonly op: Slot; readonly axis: Slot; readonly found: Slot };
  readonly MOE2061: { readonly op: Slot; readonly found: Slot };
  readonly MOE2063: { readonly op: Slot };
  readonly MOE2064: { readonly value: Slot; readonly size: Slot };
  readonly MOE2065: { readonly what: Slot; readonly name: Slot };
  readonly MOE2066: { readonly name: Slot; readonly expected: Slot; readonly found: Slot };
  readonly MOE2068: { readonly op: Slot; readonly types: Slot; readonly why: Slot };
  readonly MOE2069: { readonly path: Slot; readonly found: Slot; readonly expected: Slot };
  readonly MOE2070: { readonly value: Slot };
  readonly MOE2071: { readonly value: Slot };
  readonly MOE2072: { readonly op: Slot; readonly expected: Slot; readonly found: Slot };
  readonly MOE2073: { readonly op: Slot };
  readonly MOE2074: { readonly op: Slot; readonly attr: Slot };
  readonly MOE2075: { readonly value: Slot };
  readonly MOE2076: { readonly value: Slot };
  readonly MOE2077: { readonly line: Slot; readonly expected: Slot; readonly found: Slot };
  readonly MOE2078: { readonly stack: Slot };
  readonly MOE2079: { readonly what: Slot; readonly path: Slot; readonly fault: Slot };
  readonly MOE2080: { readonly found: Slot };
  readonly MOE2081: { readonly found: Slot };
  readonly MOE2082: { readonly found: Slot };
  readonly MOE2083: Readonly<Record<string, never>>;
  readonly MOE2084: { readonly first: Slot; readonly second: Slot };
  readonly MOE2085: { readonly mode: Slot };
  readonly MOE2086: { readonly bottom: Slot; readonly top: Slot };
  readonly MOE2087: { readonly found: Slot };
  readonly MOE2088: Readonly<Record<string, never>>;
  readonly MOE2089: { readonly found: Slot };
  readonly MOE2090: { readonly axis: Slot };
  readonly MOE2091: { readonly wanted: Slot; readonly found: Slot };
  readonly MOE2092: { readonly name: Slot; readonly found: Slot };
  readonly MOE2093: { readonly mode: Slot };
  readonly MOE2094: { readonly found: Slot; readonly words: Slot };
  readonly MOE2095: Readonly<Record<string, never>>;
  readonly MOE2096: { readonly axis: Slot };
  readonly MOE2097: { readonly unit: Slot };
  readonly MOE2098: { readonly wanted: Slot };
  readonly MOE2099: { readonly axes: Slot };
  readonly MOE2103: { readonly name: Slot; readonly callee: Slot; readonly found: Slot };
  readonly MOE2104: { readonly name: Slot; readonly callee: Slot; readonly wanted: Slot; readonly found: Slot };
  readonly MOE2105: { readonly name: Slot; readonly callee: Slot; readonly axis: Slot; readonly found: Slot };
  readonly MOE2106: { readonly name: Slot; readonly callee: Slot; readonly found: Slot; readonly axis: Slot; readonly wanted: Slot };
  readonly MOE2107: { readonly name: Slot; readonly callee: Slot; readonly found: Slot; readonly axis: Slot; readonly wanted: Slot };
  readonly MOE2110: { readonly found: Slot };
  readonly MOE2111: { readonly name: Slot };
  readonly MOE2112: { readonly callee: Slot; readonly count: Slot };
  readonly MOE2113: { readonly callee: Slot; readonly name: Slot };
  readonly MOE2114: { readonly callee: Slot; readonly name: Slot };
  readonly MOE2115: { readonly callee: Slot; readonly name: Slot };
  readonly MOE2116: { readonly callee: Slot };
  readonly MOE2117: { readonly callee: Slot; readonly found: Slot };
  readonly MOE2120: { readonly name: Slot };
  readonly MOE2121: { readonly name: Slot; readonly axis: Slot };
  readonly MOE2122: { readonly name: Slot; readonly count: Slot };
  readonly MOE2123: { readonly name: Slot; readonly axis: Slot };
  readonly MOE2130: { readonly count: Slot };
  readonly MOE2131: { readonly found: Slot };
  readonly MOE2132: { readonly found: Slot };
  readonly MOE2133: { readonly count: Slot };
  readonly MOE2134: { readonly name: Slot; readonly found: Slot };
  readonly MOE2135: { readonly layer: Slot; readonly found: Slot; readonly wanted: Slot };
  readonly MOE2136: { readonly wanted: Slot; readonly found: Slot };
  readonly MOE2137: Readonly<Record<string, never>>;
  readonly MOE2138: { readonly found: Slot; readonly axis: Slot };
  readonly MOE2139: Readonly<Record<string, never>>;
  readonly MOE2140: { readonly name: Slot };
  readonly MOE2141: { readonly name: Slot; readonly found: Slot };
  readonly MOE2142: { readonly name: Slot; readonly keeps: Slot; readonly found: Slot };
  readonly MOE2143: { readonly found: Slot };
  readonly MOE2145: Readonly<Record<string, never>>;
  readonly MOE2150: { readonly axis: Slot };
  readonly MOE2151: { readonly k: Slot; readonly experts: Slot };
  readonly MOE2152: { readonly k: Slot };
  readonly MOE2154: { readonly found: Slot };
  readonly MOE2156: { readonly found: Slot };
  readonly MOE2157: { readonly first: Slot; readonly firstType: Slot; readonly second: Slot; readonly secondType: Slot };
  readonly MOE2158: Readonly<Record<string, never>>;
  readonly MOE2159: { readonly found: Slot };
  readonly MOE2160: { readonly q: Slot; readonly k: Slot };
  readonly MOE2161: { readonly k: Slot; readonly v: Slot };
  readonly MOE2162: { readonly v: Slot };
  readonly MOE2163: { readonly found: Slot };
  readonly MOE2164: { readonly found: Slot };
  readonly MOE2170: { readonly name: Slot };
  readonly MOE2171: { readonly name: Slot; readonly found: Slot };
  readonly MOE2172: { readonly name: Slot; readonly found: Slot };
  readonly MOE2173: { readonly name: Slot; readonly found: Slot };
  readonly MOE2174: { readonly name: Slot };
  readonly MOE2175: { readonly name: Slot; readonly contract: Slot; readonly member: Slot };
  readonly MOE2176: { readonly name: Slot; readonly found: Slot };
  readonly MOE2178: { readonly axis: Slot };
  readonly MOE2179: { readonly name: Slot };
  readonly MOE2180: { readonly path: Slot };
  readonly MOE2181: Readonly<Record<string, never>>;
  readonly MOE2182: { readonly found: Slot };
  readonly MOE2183: { readonly name: Slot };
  readonly MOE2184: Readonly<Record<string, never>>;
  readonly MOE2185: { readonly name: Slot };
  readonly MOE2186: { readonly name: Slot };
  readonly MOE2187: { readonly path: Slot; readonly wanted: Slot; readonly found: Slot };
  readonly MOE2191: { readonly models: Slot };
  readonly MOE2192: { readonly model: Slot; readonly axis: Slot };
  readonly MOE2193: { readonly model: Slot; readonly name: Slot };
  readonly MOE2194: { readonly name: Slot; readonly entry: Slot };
  readonly MOE2195: { readonly entry: Slot };
  readonly MOE2196: Readonly<Record<string, never>>;
  readonly MOE2200: { readonly name: Slot };
  readonly MOE2260: { readonly path: Slot; readonly wanted: Slot; readonly found: Slot };
  readonly MOE2261: { readonly paths: Slot };
  readonly MOE2262: { readonly name: Slot; readonly path: Slot };
  readonly MOE2263: { readonly path: Slot; readonly sources: Slot };
  readonly MOE2264: { readonly path: Slot };
  readonly MOE2265: { readonly path: Slot; readonly target: Slot };
  readonly MOE2266: { readonly name: Slot };
  readonly MOE2267: Readonly<Record<string, never>>;
  readonly MOE2268: Readonly<Record<string, never>>;
  readonly MOE2269: { readonly name: Slot; readonly found: Slot };
  readonly MOE2270: { readonly message: Slot };
  readonly MOE2271: { readonly name: Slot };
  readonly MOE2272: { readonly name: Slot };
  readonly MOE2273: { readonly name: Slot };
  readonly MOE2280: { readonly path: Slot; readonly times: Slot };
  readonly MOE2281: { readonly axes: Slot };
  readonly MOE2282: { readonly axis: Slot; readonly model: Slot; readonly size: Slot };
  readonly MOE2290: { readonly callee: Slot; readonly axis: Slot };
  readonly MOE3101: { readonly name: Slot; readonly known: Slot };
  readonly MOE3102: { readonly pass: Slot; readonly program: Slot; readonly problem: Slot };
  readonly MOE3301: { readonly op: Slot; readonly target: Slot; readonly reason: Slot };
  readonly MOE3302: { readonly needed: Slot; readonly target: Slot; readonly limit: Slot; readonly weights: Slot; readonly state: Slot; readonly arena: Slot; readonly io: Slot };
  readonly MOE3303: { readonly what: Slot; readonly size: Slot };
  readonly MOE3304: { readonly path: Slot; readonly storage: Slot; readonly axis: Slot; readonly size: Slot; readonly block: Slot };
  readonly MOE3305: { readonly buffer: Slot; readonly bytes: Slot; readonly count: Slot; readonly element: Slot; readonly target: Slot; readonly most: Slot };
  readonly MOE3350: { readonly path: Slot; readonly storage: Slot };
  readonly MOE3351: { readonly path: Slot; readonly storage: Slot; readonly axis: Slot; readonly size: Slot; readonly block: Slot };
  readonly MOE3352: { readonly path: Slot; readonly storage: Slot; readonly target: Slot };
  readonly MOE3370: { readonly target: Slot };
  readonly MOE3371: { readonly size: Slot; readonly target: Slot };
  readonly MOE4201: { readonly reason: Slot };
  readonly MOE4202: { readonly target: Slot; readonly reason: Slot };
  readonly MOE4203: { readonly reason: Slot };
  readonly MOE4204: { readonly levels: Slot; readonly reason: Slot };
  readonly MOE4205: { readonly bytes: Slot; readonly what: Slot; readonly reason: Slot };
  readonly MOE4206: { readonly file: Slot; readonly reason: Slot };
  readonly MOE4207: { readonly file: Slot; readonly reason: Slot };
  readonly MOE4208: { readonly thread: Slot; readonly threads: Slot; readonly reason: Slot };
  readonly MOE4209: { readonly reason: Slot };
  readonly MOE4230: { readonly reason: Slot };
  readonly MOE4231: { readonly file: Slot; readonly gpu: Slot; readonly reason: Slot };
  readonly MOE4232: { readonly available: Slot; readonly gpu: Slot; readonly reason: Slot };
  readonly MOE4233: { readonly what: Slot; readonly needed: Slot; readonly gpu: Slot; readonly free: Slot };
  readonly MOE4234: { readonly error: Slot; readonly call: Slot };
  readonly MOE4235: { readonly tool: Slot; readonly reason: Slot };
  readonly MOE4236: { readonly tool: Slot; readonly architecture: Slot; readonly reason: Slot };
  readonly MOE4240: { readonly target: Slot; readonly lacks: Slot };
  readonly MOE4280: { readonly platform: Slot; readonly levels: Slot; readonly here: Slot };
  readonly MOE4301: { readonly reason: Slot };
  readonly MOE4302: { readonly origin: Slot };
  readonly MOE4303: { readonly folder: Slot; readonly file: Slot };
  readonly MOE4304: { readonly url: Slot; readonly reason: Slot };
  readonly MOE4310: { readonly kernel: Slot; readonly needed: Slot; readonly limit: Slot };
  readonly MOE4311: { readonly what: Slot; readonly needed: Slot; readonly limit: Slot };
  readonly MOE4312: { readonly kernel: Slot; readonly reason: Slot };
  readonly MOE4313: { readonly reason: Slot };
  readonly MOE4314: { readonly reason: Slot };
  readonly MOE4501: { readonly kernel: Slot; readonly type: Slot };
  readonly MOE4502: { readonly kernel: Slot; readonly threads: Slot };
  readonly MOE4503: { readonly target: Slot; readonly wanted: Slot };
  readonly MOE4504: { readonly kernel: Slot; readonly wanted: Slot; readonly what: Slot; readonly target: Slot; readonly limit: Slot };
  readonly MOE5101: Readonly<Record<string, never>>;
  readonly MOE5102: { readonly what: Slot; readonly needed: Slot; readonly offset: Slot; readonly size: Slot };
  readonly MOE5103: { readonly version: Slot };
  readonly MOE5104: { readonly what: Slot; readonly count: Slot; readonly limit: Slot };
  readonly MOE5105: { readonly what: Slot; readonly value: Slot };
  readonly MOE5106: { readonly what: Slot };
  readonly MOE5107: { readonly what: Slot; readonly name: Slot };
  readonly MOE5108: { readonly name: Slot; readonly type: Slot };
  readonly MOE5109: { readonly name: Slot; readonly start: Slot; readonly end: Slot; readonly size: Slot };
  readonly MOE5110: { readonly first: Slot; readonly second: Slot };
  readonly MOE5111: { readonly name: Slot; readonly shape: Slot; readonly reason: Slot };
  readonly MOE5112: { readonly key: Slot; readonly reason: Slot };
  readonly MOE5113: { readonly what: Slot; readonly value: Slot; readonly reason: Slot };
  readonly MOE5114: { readonly reason: Slot };
  readonly MOE5115: { readonly reason: Slot };
  readonly MOE5116: { readonly name: Slot };
  readonly MOE5117: { readonly name: Slot; readonly reason: Slot };
  readonly MOE5118: { readonly value: Slot; readonly index: Slot };
  readonly MOE5119: { readonly where: Slot; readonly name: Slot };
  readonly MOE5120: { readonly key: Slot; readonly reason: Slot };
  readonly MOE5121: { readonly key: Slot; readonly value: Slot };
  readonly MOE5122: { readonly name: Slot; readonly shape: Slot; readonly expected: Slot };
  readonly MOE5123: { readonly path: Slot; readonly reason: Slot };
  readonly MOE5124: { readonly family: Slot; readonly names: Slot };
  readonly MOE5125: { readonly family: Slot };
  readonly MOE5126: { readonly spec: Slot; readonly family: Slot };
  readonly MOE5127: { readonly part: Slot; readonly reason: Slot };
  readonly MOE5128: { readonly said: Slot; readonly read: Slot };
  readonly MOE5201: { readonly file: Slot; readonly reason: Slot };
  readonly MOE5202: { readonly file: Slot; readonly path: Slot; readonly reason: Slot };
  readonly MOE5203: { readonly part: Slot };
  readonly MOE5204: { readonly reason: Slot };
  readonly MOE5205: { readonly reason: Slot };
  readonly MOE5206: { readonly key: Slot; readonly value: Slot };
  readonly MOE5207: { readonly id: Slot; readonly size: Slot };
  readonly MOE5208: { readonly file: Slot; readonly token: Slot; readonly role: Slot };
  readonly MOE5209: { readonly reason: Slot };
  readonly MOE5301: { readonly path: Slot; readonly reason: Slot };
  readonly MOE5302: { readonly at: Slot; readonly reason: Slot };
  readonly MOE5303: { readonly found: Slot; readonly expected: Slot };
  readonly MOE5304: { readonly file: Slot };
  readonly MOE5305: { readonly file: Slot; readonly found: Slot; readonly expected: Slot };
  readonly MOE5306: { readonly file: Slot };
  readonly MOE5307: { readonly path: Slot };
  readonly MOE5308: { readonly device: Slot; readonly available: Slot };
  readonly MOE5309: { readonly device: Slot; readonly reason: Slot };
  readonly MOE5310: { readonly target: Slot; readonly limit: Slot; readonly needed: Slot; readonly weights: Slot; readonly state: Slot; readonly arena: Slot };
  readonly MOE5311: { readonly path: Slot };
  readonly MOE5312: { readonly at: Slot; readonly reason: Slot };
  readonly MOE5313: Readonly<Record<string, never>>;
  readonly MOE5314: { readonly path: Slot; readonly process: Slot };
  readonly MOE5320: { readonly limit: Slot; readonly past: Slot; readonly asked: Slot };
  readonly MOE5321: { readonly name: Slot; readonly entry: Slot; readonly reason: Slot };
  readonly MOE5322: { readonly name: Slot; readonly available: Slot };
  readonly MOE5323: { readonly name: Slot; readonly value: Slot; readonly expected: Slot };
  readonly MOE5324: { readonly action: Slot };
  readonly MOE5325: Readonly<Record<string, never>>;
  readonly MOE5326: { readonly model: Slot; readonly format: Slot };
  readonly MOE5327: { readonly path: Slot; readonly reason: Slot };
  readonly MOE5329: { readonly kernel: Slot; readonly label: Slot; readonly reason: Slot };
  readonly MOE5330: { readonly name: Slot };
  readonly MOE5401: { readonly reason: Slot };
  readonly MOE5402: { readonly at: Slot; readonly reason: Slot };
  readonly MOE5403: { readonly path: Slot; readonly reason: Slot };
  readonly MOE5404: { readonly path: Slot };
  readonly MOE5407: { readonly file: Slot };
  readonly MOE5420: { readonly name: Slot; readonly reason: Slot };
  readonly MOE5421: { readonly name: Slot; readonly model: Slot };
  readonly MOE5440: { readonly file: Slot; readonly recipes: Slot };
  readonly MOE5441: { readonly name: Slot; readonly contract: Slot };
  readonly MOE5442: { readonly names: Slot };
  readonly MOE5443: { readonly format: Slot; readonly type: Slot };
  readonly MOE5444: { readonly name: Slot };
  readonly MOE5445: { readonly count: Slot; readonly all: Slot; readonly model: Slot; readonly names: Slot };
  readonly MOE5446: { readonly name: Slot; readonly value: Slot; readonly type: Slot };
  readonly MOE5447: { readonly path: Slot; readonly reason: Slot };
  readonly MOE5448: { readonly path: Slot; readonly files: Slot };
  readonly MOE5449: { readonly names: Slot; readonly recipe: Slot; readonly sources: Slot };
  readonly MOE5450: { readonly name: Slot; readonly fault: Slot };
  readonly MOE5460: { readonly path: Slot; readonly reason: Slot };
  readonly MOE5461: { readonly reason: Slot };
  readonly MOE5465: { readonly name: Slot; readonly names: Slot };
  readonly MOE5466: { readonly model: Slot; readonly devices: Slot; readonly experts: Slot };
  readonly MOE5467: { readonly path: Slot; readonly reason: Slot; readonly left: Slot };
  readonly MOE5468: { readonly tokens: Slot; readonly rows: Slot };
  readonly MOE5501: { readonly kernel: Slot; readonly index: Slot; readonly buffer: Slot; readonly access: Slot };
  readonly MOE5502: { readonly kernel: Slot };
  readonly MOE5503: { readonly kernel: Slot };
  readonly MOE5504: { readonly kernel: Slot };
  readonly MOE5505: { readonly kernel: Slot; readonly wanted: Slot; readonly given: Slot };
  readonly MOE5506: { readonly kernel: Slot; readonly buffer: Slot; readonly address: Slot };
  readonly MOE5511: { readonly address: Slot; readonly reason: Slot };
  readonly MOE5512: { readonly host: Slot };
  readonly MOE5513: { readonly limit: Slot };
  readonly MOE5514: { readonly reason: Slot };
  readonly MOE5515: { readonly name: Slot; readonly reason: Slot };
  readonly MOE5516: { readonly reason: Slot };
  readonly MOE5517: Readonly<Record<string, never>>;
  readonly MOE5518: { readonly method: Slot; readonly path: Slot };
  readonly MOE5519: { readonly waiting: Slot };
  readonly MOE5520: { readonly name: Slot; readonly reason: Slot };
  readonly MOE5521: Readonly<Record<string, never>>;
  readonly MOE5522: { readonly seconds: Slot };
  readonly MOE5523: { readonly name: Slot; readonly known: Slot };
  readonly MOE5524: { readonly reason: Slot };
  readonly MOE5525: { readonly name: Slot; readonly reason: Slot };
  readonly MOE5601: { readonly op: Slot; readonly at: Slot; readonly reason: Slot };
  readonly MOE5602: { readonly what: Slot; readonly reason: Slot };
  readonly MOE5610: { readonly operator: Slot; readonly op: Slot; readonly at: Slot; readonly reason: Slot };
  readonly MOE5611: { readonly offset: Slot; readonly reason: Slot };
  readonly MOE5612: { readonly name: Slot; readonly location: Slot; readonly reason: Slot };
  readonly MOE5613: { readonly source: Slot };
}

/** One constructor of a diagnostic for each code. */
export const errors = {
  /** MOE1001: expected something else */
  expectedToken: (slots: MessageSlots["MOE1001"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE1001", messages.MOE1001, slots, span, parts),
  /** MOE1002: misspelt opening word */
  misspeltWord: (slots: MessageSlots["MOE1002"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE1002", messages.MOE1002, slots, span, parts),
  /** MOE1003: something else belongs here */
  unexpected: (slots: MessageSlots["MOE1003"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE1003", messages.MOE1003, slots, span, parts),
  /** MOE1004: bracket never closed */
  unclosedBracket: (slots: MessageSlots["MOE1004"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE1004", messages.MOE1004, slots, span, parts),
  /** MOE1005: string never closed */
  unclosedString: (slots: MessageSlots["MOE1005"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE1005", messages.MOE1005, slots, span, parts),
  /** MOE1006: comment never closed */
  unclosedComment: (slots: MessageSlots["MOE1006"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE1006", messages.MOE1006, slots, span, parts),
  /** MOE1007: unknown character */
  unknownCharacter: (slots: MessageSlots["MOE1007"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE1007", messages.MOE1007, slots, span, parts),
  /** MOE1008: not a number */
  badNumber: (slots: MessageSlots["MOE1008"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE1008", messages.MOE1008, slots, span, parts),
  /** MOE1009: unknown escape */
  badEscape: (slots: MessageSlots["MOE1009"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE1009", messages.MOE1009, slots, span, parts),
  /** MOE1010: nested too deeply */
  nestedTooDeeply: (slots: MessageSlots["MOE1010"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE1010", messages.MOE1010, slots, span, parts),
  /** MOE1011: operators do not chain */
  operatorsDoNotChain: (slots: MessageSlots["MOE1011"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE1011", messages.MOE1011, slots, span, parts),
  /** MOE1012: spelled as in other languages */
  foreignSpelling: (slots: MessageSlots["MOE1012"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE1012", messages.MOE1012, slots, span, parts),
  /** MOE1013: reserved word used as a name */
  reservedWord: (slots: MessageSlots["MOE1013"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE1013", messages.MOE1013, slots, span, parts),
  /** MOE1014: two statements on one line */
  twoStatementsOnALine: (slots: MessageSlots["MOE1014"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE1014", messages.MOE1014, slots, span, parts),
  /** MOE1015: closing bracket without an opening one */
  strayClosingBracket: (slots: MessageSlots["MOE1015"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE1015", messages.MOE1015, slots, span, parts),
  /** MOE2001: unknown name */
  unknownName: (slots: MessageSlots["MOE2001"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2001", messages.MOE2001, slots, span, parts),
  /** MOE2002: file not found */
  fileNotFound: (slots: MessageSlots["MOE2002"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2002", messages.MOE2002, slots, span, parts),
  /** MOE2003: imports go in a circle */
  importsGoInACircle: (slots: MessageSlots["MOE2003"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2003", messages.MOE2003, slots, span, parts),
  /** MOE2004: not in that file */
  notInThatFile: (slots: MessageSlots["MOE2004"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2004", messages.MOE2004, slots, span, parts),
  /** MOE2005: declared twice */
  declaredTwice: (slots: MessageSlots["MOE2005"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2005", messages.MOE2005, slots, span, parts),
  /** MOE2006: two bodies */
  twoBodies: (slots: MessageSlots["MOE2006"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2006", messages.MOE2006, slots, span, parts),
  /** MOE2008: not an axis */
  notAnAxis: (slots: MessageSlots["MOE2008"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2008", messages.MOE2008, slots, span, parts),
  /** MOE2009: unknown type */
  unknownType: (slots: MessageSlots["MOE2009"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2009", messages.MOE2009, slots, span, parts),
  /** MOE2010: member needs itself */
  memberNeedsItself: (slots: MessageSlots["MOE2010"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2010", messages.MOE2010, slots, span, parts),
  /** MOE2011: axis without a size */
  axisWithoutASize: (slots: MessageSlots["MOE2011"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2011", messages.MOE2011, slots, span, parts),
  /** MOE2012: type of a member */
  typeOfAMember: (slots: MessageSlots["MOE2012"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2012", messages.MOE2012, slots, span, parts),
  /** MOE2013: axis twice in a type */
  axisTwiceInAType: (slots: MessageSlots["MOE2013"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2013", messages.MOE2013, slots, span, parts),
  /** MOE2014: has no members */
  hasNoMembers: (slots: MessageSlots["MOE2014"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2014", messages.MOE2014, slots, span, parts),
  /** MOE2015: no such member */
  noSuchMember: (slots: MessageSlots["MOE2015"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2015", messages.MOE2015, slots, span, parts),
  /** MOE2016: brackets behind this mean nothing */
  bracketsBehindThisMeanNothing: (slots: MessageSlots["MOE2016"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2016", messages.MOE2016, slots, span, parts),
  /** MOE2017: one number picks */
  oneNumberPicks: (slots: MessageSlots["MOE2017"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2017", messages.MOE2017, slots, span, parts),
  /** MOE2018: outside of the list */
  outsideOfTheList: (slots: MessageSlots["MOE2018"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2018", messages.MOE2018, slots, span, parts),
  /** MOE2019: say which axis */
  sayWhichAxis: (slots: MessageSlots["MOE2019"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2019", messages.MOE2019, slots, span, parts),
  /** MOE2020: unknown storage format */
  unknownStorageFormat: (slots: MessageSlots["MOE2020"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2020", messages.MOE2020, slots, span, parts),
  /** MOE2021: storage format makes no sense */
  storageFormatMakesNoSense: (slots: MessageSlots["MOE2021"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2021", messages.MOE2021, slots, span, parts),
  /** MOE2022: knob does not fit its range */
  knobDoesNotFitItsRange: (slots: MessageSlots["MOE2022"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2022", messages.MOE2022, slots, span, parts),
  /** MOE2023: default of another type */
  defaultOfAnotherType: (slots: MessageSlots["MOE2023"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2023", messages.MOE2023, slots, span, parts),
  /** MOE2024: size too large */
  sizeTooLarge: (slots: MessageSlots["MOE2024"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2024", messages.MOE2024, slots, span, parts),
  /** MOE2025: unknown setting */
  unknownSetting: (slots: MessageSlots["MOE2025"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2025", messages.MOE2025, slots, span, parts),
  /** MOE2040: wrong number of operands */
  wrongNumberOfOperands: (slots: MessageSlots["MOE2040"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2040", messages.MOE2040, slots, span, parts),
  /** MOE2041: one axis with two sizes */
  axisWithTwoSizes: (slots: MessageSlots["MOE2041"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2041", messages.MOE2041, slots, span, parts),
  /** MOE2042: axis not found */
  missingAxis: (slots: MessageSlots["MOE2042"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2042", messages.MOE2042, slots, span, parts),
  /** MOE2043: wrong element type */
  wrongElementType: (slots: MessageSlots["MOE2043"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2043", messages.MOE2043, slots, span, parts),
  /** MOE2044: element types differ */
  elementTypesDiffer: (slots: MessageSlots["MOE2044"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2044", messages.MOE2044, slots, span, parts),
  /** MOE2045: one axis twice */
  axisTwice: (slots: MessageSlots["MOE2045"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2045", messages.MOE2045, slots, span, parts),
  /** MOE2046: more than the axis has */
  moreThanTheAxisHas: (slots: MessageSlots["MOE2046"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2046", messages.MOE2046, slots, span, parts),
  /** MOE2047: split does not fit */
  splitDoesNotFit: (slots: MessageSlots["MOE2047"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2047", messages.MOE2047, slots, span, parts),
  /** MOE2048: tensor and routes confused */
  tensorOrRoutes: (slots: MessageSlots["MOE2048"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2048", messages.MOE2048, slots, span, parts),
  /** MOE2049: slice outside of the axis */
  sliceOutsideTheAxis: (slots: MessageSlots["MOE2049"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2049", messages.MOE2049, slots, span, parts),
  /** MOE2050: axis too many */
  axisTooMany: (slots: MessageSlots["MOE2050"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2050", messages.MOE2050, slots, span, parts),
  /** MOE2051: negative size */
  negativeSize: (slots: MessageSlots["MOE2051"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2051", messages.MOE2051, slots, span, parts),
  /** MOE2052: attribute of another form */
  badAttribute: (slots: MessageSlots["MOE2052"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2052", messages.MOE2052, slots, span, parts),
  /** MOE2053: groups do not divide */
  groupsDoNotDivide: (slots: MessageSlots["MOE2053"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2053", messages.MOE2053, slots, span, parts),
  /** MOE2054: body of another signature */
  bodyOfAnotherSignature: (slots: MessageSlots["MOE2054"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2054", messages.MOE2054, slots, span, parts),
  /** MOE2055: value changes its type */
  valueChangesItsType: (slots: MessageSlots["MOE2055"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2055", messages.MOE2055, slots, span, parts),
  /** MOE2056: banks and routes differ */
  banksAndRoutesDiffer: (slots: MessageSlots["MOE2056"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2056", messages.MOE2056, slots, span, parts),
  /** MOE2058: not declared */
  notDeclared: (slots: MessageSlots["MOE2058"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2058", messages.MOE2058, slots, span, parts),
  /** MOE2059: value does not fit the state */
  valueDoesNotFitTheState: (slots: MessageSlots["MOE2059"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2059", messages.MOE2059, slots, span, parts),
  /** MOE2060: growing axis is not first */
  growingAxisIsNotFirst: (slots: MessageSlots["MOE2060"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2060", messages.MOE2060, slots, span, parts),
  /** MOE2061: not a scalar */
  notAScalar: (slots: MessageSlots["MOE2061"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2061", messages.MOE2061, slots, span, parts),
  /** MOE2063: parameter inside a region */
  parameterInsideARegion: (slots: MessageSlots["MOE2063"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2063", messages.MOE2063, slots, span, parts),
  /** MOE2064: unknown size */
  unknownSize: (slots: MessageSlots["MOE2064"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2064", messages.MOE2064, slots, span, parts),
  /** MOE2065: nothing of that name */
  nothingOfThatName: (slots: MessageSlots["MOE2065"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2065", messages.MOE2065, slots, span, parts),
  /** MOE2066: value of another type */
  valueOfAnotherType: (slots: MessageSlots["MOE2066"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2066", messages.MOE2066, slots, span, parts),
  /** MOE2068: impossible sizes of a call */
  impossibleSizes: (slots: MessageSlots["MOE2068"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2068", messages.MOE2068, slots, span, parts),
  /** MOE2069: cache of another length */
  cacheOfAnotherLength: (slots: MessageSlots["MOE2069"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2069", messages.MOE2069, slots, span, parts),
  /** MOE2070: used before it is defined */
  usedBeforeItIsDefined: (slots: MessageSlots["MOE2070"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2070", messages.MOE2070, slots, span, parts),
  /** MOE2071: value from outside of the region */
  valueFromOutsideOfTheRegion: (slots: MessageSlots["MOE2071"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2071", messages.MOE2071, slots, span, parts),
  /** MOE2072: recorded type is wrong */
  recordedTypeIsWrong: (slots: MessageSlots["MOE2072"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2072", messages.MOE2072, slots, span, parts),
  /** MOE2073: unknown op */
  unknownOp: (slots: MessageSlots["MOE2073"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2073", messages.MOE2073, slots, span, parts),
  /** MOE2074: unknown attribute */
  unknownAttribute: (slots: MessageSlots["MOE2074"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2074", messages.MOE2074, slots, span, parts),
  /** MOE2075: value defined twice */
  valueDefinedTwice: (slots: MessageSlots["MOE2075"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2075", messages.MOE2075, slots, span, parts),
  /** MOE2076: result is not defined */
  resultIsNotDefined: (slots: MessageSlots["MOE2076"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2076", messages.MOE2076, slots, span, parts),
  /** MOE2077: not the text of a graph */
  notAGraph: (slots: MessageSlots["MOE2077"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2077", messages.MOE2077, slots, span, parts),
  /** MOE2078: not inside of that stack */
  notInsideThatStack: (slots: MessageSlots["MOE2078"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2078", messages.MOE2078, slots, span, parts),
  /** MOE2079: bad declaration in a graph */
  badDeclaration: (slots: MessageSlots["MOE2079"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2079", messages.MOE2079, slots, span, parts),
  /** MOE2080: not a tensor */
  notATensor: (slots: MessageSlots["MOE2080"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2080", messages.MOE2080, slots, span, parts),
  /** MOE2081: not known before it runs */
  notKnownBeforeItRuns: (slots: MessageSlots["MOE2081"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2081", messages.MOE2081, slots, span, parts),
  /** MOE2082: not true or false */
  notTrueOrFalse: (slots: MessageSlots["MOE2082"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2082", messages.MOE2082, slots, span, parts),
  /** MOE2083: a ratio stands alone */
  aRatioStandsAlone: (slots: MessageSlots["MOE2083"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2083", messages.MOE2083, slots, span, parts),
  /** MOE2084: two arms of different types */
  twoArmsOfDifferentTypes: (slots: MessageSlots["MOE2084"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2084", messages.MOE2084, slots, span, parts),
  /** MOE2085: no branch for this mode */
  noBranchForThisMode: (slots: MessageSlots["MOE2085"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2085", messages.MOE2085, slots, span, parts),
  /** MOE2086: does not divide */
  doesNotDivide: (slots: MessageSlots["MOE2086"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2086", messages.MOE2086, slots, span, parts),
  /** MOE2087: not a size */
  notASize: (slots: MessageSlots["MOE2087"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2087", messages.MOE2087, slots, span, parts),
  /** MOE2088: division by zero */
  divisionByZero: (slots: MessageSlots["MOE2088"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2088", messages.MOE2088, slots, span, parts),
  /** MOE2089: no axis to work on */
  noAxisToWorkOn: (slots: MessageSlots["MOE2089"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2089", messages.MOE2089, slots, span, parts),
  /** MOE2090: product of strangers */
  productOfStrangers: (slots: MessageSlots["MOE2090"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2090", messages.MOE2090, slots, span, parts),
  /** MOE2091: taken apart wrongly */
  takenApartWrongly: (slots: MessageSlots["MOE2091"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2091", messages.MOE2091, slots, span, parts),
  /** MOE2092: not of the declared type */
  notOfTheDeclaredType: (slots: MessageSlots["MOE2092"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2092", messages.MOE2092, slots, span, parts),
  /** MOE2093: mode said twice */
  modeSaidTwice: (slots: MessageSlots["MOE2093"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2093", messages.MOE2093, slots, span, parts),
  /** MOE2094: unknown word */
  unknownWord: (slots: MessageSlots["MOE2094"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2094", messages.MOE2094, slots, span, parts),
  /** MOE2095: an axis is needed */
  anAxisIsNeeded: (slots: MessageSlots["MOE2095"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2095", messages.MOE2095, slots, span, parts),
  /** MOE2096: axis without a size here */
  axisWithoutASizeHere: (slots: MessageSlots["MOE2096"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2096", messages.MOE2096, slots, span, parts),
  /** MOE2097: unknown unit */
  unknownUnit: (slots: MessageSlots["MOE2097"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2097", messages.MOE2097, slots, span, parts),
  /** MOE2098: an arrow is needed */
  anArrowIsNeeded: (slots: MessageSlots["MOE2098"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2098", messages.MOE2098, slots, span, parts),
  /** MOE2099: two open sizes */
  twoOpenSizes: (slots: MessageSlots["MOE2099"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2099", messages.MOE2099, slots, span, parts),
  /** MOE2103: argument of another kind */
  argumentOfAnotherKind: (slots: MessageSlots["MOE2103"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2103", messages.MOE2103, slots, span, parts),
  /** MOE2104: argument of another number type */
  argumentOfAnotherNumberType: (slots: MessageSlots["MOE2104"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2104", messages.MOE2104, slots, span, parts),
  /** MOE2105: argument without an axis */
  argumentWithoutAnAxis: (slots: MessageSlots["MOE2105"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2105", messages.MOE2105, slots, span, parts),
  /** MOE2106: argument of another size */
  argumentOfAnotherSize: (slots: MessageSlots["MOE2106"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2106", messages.MOE2106, slots, span, parts),
  /** MOE2107: routes among other experts */
  routesAmongOtherExperts: (slots: MessageSlots["MOE2107"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2107", messages.MOE2107, slots, span, parts),
  /** MOE2110: cannot be called */
  cannotBeCalled: (slots: MessageSlots["MOE2110"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2110", messages.MOE2110, slots, span, parts),
  /** MOE2111: no body to call */
  noBodyToCall: (slots: MessageSlots["MOE2111"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2111", messages.MOE2111, slots, span, parts),
  /** MOE2112: too many arguments */
  tooManyArguments: (slots: MessageSlots["MOE2112"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2112", messages.MOE2112, slots, span, parts),
  /** MOE2113: no such parameter */
  noSuchParameter: (slots: MessageSlots["MOE2113"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2113", messages.MOE2113, slots, span, parts),
  /** MOE2114: argument twice */
  argumentTwice: (slots: MessageSlots["MOE2114"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2114", messages.MOE2114, slots, span, parts),
  /** MOE2115: argument missing */
  argumentMissing: (slots: MessageSlots["MOE2115"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2115", messages.MOE2115, slots, span, parts),
  /** MOE2116: calls itself without end */
  callsItselfWithoutEnd: (slots: MessageSlots["MOE2116"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2116", messages.MOE2116, slots, span, parts),
  /** MOE2117: not the promised result */
  notThePromisedResult: (slots: MessageSlots["MOE2117"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2117", messages.MOE2117, slots, span, parts),
  /** MOE2120: not an axis argument */
  notAnAxisArgument: (slots: MessageSlots["MOE2120"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2120", messages.MOE2120, slots, span, parts),
  /** MOE2121: no such axis */
  noSuchAxis: (slots: MessageSlots["MOE2121"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2121", messages.MOE2121, slots, span, parts),
  /** MOE2122: too many axes */
  tooManyAxes: (slots: MessageSlots["MOE2122"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2122", messages.MOE2122, slots, span, parts),
  /** MOE2123: axis not given */
  axisNotGiven: (slots: MessageSlots["MOE2123"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2123", messages.MOE2123, slots, span, parts),
  /** MOE2130: an empty bank */
  anEmptyBank: (slots: MessageSlots["MOE2130"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2130", messages.MOE2130, slots, span, parts),
  /** MOE2131: not an expert */
  notAnExpert: (slots: MessageSlots["MOE2131"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2131", messages.MOE2131, slots, span, parts),
  /** MOE2132: not a layer */
  notALayer: (slots: MessageSlots["MOE2132"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2132", messages.MOE2132, slots, span, parts),
  /** MOE2133: no layers */
  noLayers: (slots: MessageSlots["MOE2133"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2133", messages.MOE2133, slots, span, parts),
  /** MOE2134: carried value of another type */
  carriedValueOfAnotherType: (slots: MessageSlots["MOE2134"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2134", messages.MOE2134, slots, span, parts),
  /** MOE2135: another number of carried values */
  anotherNumberOfCarriedValues: (slots: MessageSlots["MOE2135"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2135", messages.MOE2135, slots, span, parts),
  /** MOE2136: scan without rows */
  scanWithoutRows: (slots: MessageSlots["MOE2136"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2136", messages.MOE2136, slots, span, parts),
  /** MOE2137: scan along no axis */
  scanAlongNoAxis: (slots: MessageSlots["MOE2137"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2137", messages.MOE2137, slots, span, parts),
  /** MOE2138: row with the axis of the rows */
  rowWithTheAxisOfTheRows: (slots: MessageSlots["MOE2138"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2138", messages.MOE2138, slots, span, parts),
  /** MOE2139: scan that ends early */
  scanThatEndsEarly: (slots: MessageSlots["MOE2139"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2139", messages.MOE2139, slots, span, parts),
  /** MOE2140: state inside an expert */
  stateInsideAnExpert: (slots: MessageSlots["MOE2140"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2140", messages.MOE2140, slots, span, parts),
  /** MOE2141: only a state can be set */
  onlyAStateCanBeSet: (slots: MessageSlots["MOE2141"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2141", messages.MOE2141, slots, span, parts),
  /** MOE2142: value with other axes than its state */
  valueWithOtherAxesThanItsState: (slots: MessageSlots["MOE2142"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2142", messages.MOE2142, slots, span, parts),
  /** MOE2143: not a cache */
  notACache: (slots: MessageSlots["MOE2143"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2143", messages.MOE2143, slots, span, parts),
  /** MOE2145: choice among all tokens in a decoder */
  choiceAmongAllTokensInADecoder: (slots: MessageSlots["MOE2145"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2145", messages.MOE2145, slots, span, parts),
  /** MOE2150: tokens are not last */
  tokensAreNotLast: (slots: MessageSlots["MOE2150"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2150", messages.MOE2150, slots, span, parts),
  /** MOE2151: more than there are */
  moreThanThereAre: (slots: MessageSlots["MOE2151"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2151", messages.MOE2151, slots, span, parts),
  /** MOE2152: nothing chosen */
  nothingChosen: (slots: MessageSlots["MOE2152"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2152", messages.MOE2152, slots, span, parts),
  /** MOE2154: not a bank */
  notABank: (slots: MessageSlots["MOE2154"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2154", messages.MOE2154, slots, span, parts),
  /** MOE2156: an expert gives no tensor */
  anExpertGivesNoTensor: (slots: MessageSlots["MOE2156"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2156", messages.MOE2156, slots, span, parts),
  /** MOE2157: experts of different types */
  expertsOfDifferentTypes: (slots: MessageSlots["MOE2157"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2157", messages.MOE2157, slots, span, parts),
  /** MOE2158: overflow without a capacity */
  overflowWithoutACapacity: (slots: MessageSlots["MOE2158"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2158", messages.MOE2158, slots, span, parts),
  /** MOE2159: experts without an affinity */
  expertsWithoutAnAffinity: (slots: MessageSlots["MOE2159"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2159", messages.MOE2159, slots, span, parts),
  /** MOE2160: no axis of queries */
  noAxisOfQueries: (slots: MessageSlots["MOE2160"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2160", messages.MOE2160, slots, span, parts),
  /** MOE2161: no axis of keys */
  noAxisOfKeys: (slots: MessageSlots["MOE2161"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2161", messages.MOE2161, slots, span, parts),
  /** MOE2162: no axis of values */
  noAxisOfValues: (slots: MessageSlots["MOE2162"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2162", messages.MOE2162, slots, span, parts),
  /** MOE2163: not a mask */
  notAMask: (slots: MessageSlots["MOE2163"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2163", messages.MOE2163, slots, span, parts),
  /** MOE2164: a mask answers yes or no */
  aMaskAnswersYesOrNo: (slots: MessageSlots["MOE2164"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2164", messages.MOE2164, slots, span, parts),
  /** MOE2170: no body */
  noBody: (slots: MessageSlots["MOE2170"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2170", messages.MOE2170, slots, span, parts),
  /** MOE2171: contract asks for a tensor */
  contractAsksForATensor: (slots: MessageSlots["MOE2171"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2171", messages.MOE2171, slots, span, parts),
  /** MOE2172: a router gives routes */
  aRouterGivesRoutes: (slots: MessageSlots["MOE2172"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2172", messages.MOE2172, slots, span, parts),
  /** MOE2173: a mask decides */
  aMaskDecides: (slots: MessageSlots["MOE2173"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2173", messages.MOE2173, slots, span, parts),
  /** MOE2174: no entry point */
  noEntryPoint: (slots: MessageSlots["MOE2174"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2174", messages.MOE2174, slots, span, parts),
  /** MOE2175: a function keeps nothing */
  aFunctionKeepsNothing: (slots: MessageSlots["MOE2175"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2175", messages.MOE2175, slots, span, parts),
  /** MOE2176: a loss is one number */
  aLossIsOneNumber: (slots: MessageSlots["MOE2176"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2176", messages.MOE2176, slots, span, parts),
  /** MOE2178: an expert sees one token */
  anExpertSeesOneToken: (slots: MessageSlots["MOE2178"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2178", messages.MOE2178, slots, span, parts),
  /** MOE2179: depends on the batch without saying so */
  dependsOnTheBatchWithoutSayingSo: (slots: MessageSlots["MOE2179"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2179", messages.MOE2179, slots, span, parts),
  /** MOE2180: named twice */
  namedTwice: (slots: MessageSlots["MOE2180"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2180", messages.MOE2180, slots, span, parts),
  /** MOE2181: not a path of a parameter */
  notAPathOfAParameter: (slots: MessageSlots["MOE2181"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2181", messages.MOE2181, slots, span, parts),
  /** MOE2182: ends at a module */
  endsAtAModule: (slots: MessageSlots["MOE2182"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2182", messages.MOE2182, slots, span, parts),
  /** MOE2183: unknown way to read */
  unknownWayToRead: (slots: MessageSlots["MOE2183"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2183", messages.MOE2183, slots, span, parts),
  /** MOE2184: a name in quotes */
  aNameInQuotes: (slots: MessageSlots["MOE2184"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2184", messages.MOE2184, slots, span, parts),
  /** MOE2185: nothing to count */
  nothingToCount: (slots: MessageSlots["MOE2185"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2185", messages.MOE2185, slots, span, parts),
  /** MOE2186: index not used */
  indexNotUsed: (slots: MessageSlots["MOE2186"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2186", messages.MOE2186, slots, span, parts),
  /** MOE2187: other axes than the parameter */
  otherAxesThanTheParameter: (slots: MessageSlots["MOE2187"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2187", messages.MOE2187, slots, span, parts),
  /** MOE2191: which model */
  whichModel: (slots: MessageSlots["MOE2191"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2191", messages.MOE2191, slots, span, parts),
  /** MOE2192: size not given */
  sizeNotGiven: (slots: MessageSlots["MOE2192"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2192", messages.MOE2192, slots, span, parts),
  /** MOE2193: no such size */
  noSuchSize: (slots: MessageSlots["MOE2193"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2193", messages.MOE2193, slots, span, parts),
  /** MOE2194: input that cannot be given */
  inputThatCannotBeGiven: (slots: MessageSlots["MOE2194"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2194", messages.MOE2194, slots, span, parts),
  /** MOE2195: output that cannot be taken */
  outputThatCannotBeTaken: (slots: MessageSlots["MOE2195"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2195", messages.MOE2195, slots, span, parts),
  /** MOE2196: cannot be built */
  cannotBeBuilt: (slots: MessageSlots["MOE2196"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2196", messages.MOE2196, slots, span, parts),
  /** MOE2200: gradients are not built yet */
  gradientsAreNotBuiltYet: (slots: MessageSlots["MOE2200"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2200", messages.MOE2200, slots, span, parts),
  /** MOE2260: not the type of the parameter */
  notTheTypeOfTheParameter: (slots: MessageSlots["MOE2260"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2260", messages.MOE2260, slots, span, parts),
  /** MOE2261: nothing sets the parameter */
  nothingSetsTheParameter: (slots: MessageSlots["MOE2261"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2261", messages.MOE2261, slots, span, parts),
  /** MOE2262: no such parameter to set */
  noSuchParameterToSet: (slots: MessageSlots["MOE2262"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2262", messages.MOE2262, slots, span, parts),
  /** MOE2263: several sources have it */
  severalSourcesHaveIt: (slots: MessageSlots["MOE2263"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2263", messages.MOE2263, slots, span, parts),
  /** MOE2264: set twice */
  setTwice: (slots: MessageSlots["MOE2264"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2264", messages.MOE2264, slots, span, parts),
  /** MOE2265: not in the source */
  notInTheSource: (slots: MessageSlots["MOE2265"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2265", messages.MOE2265, slots, span, parts),
  /** MOE2266: source not used */
  sourceNotUsed: (slots: MessageSlots["MOE2266"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2266", messages.MOE2266, slots, span, parts),
  /** MOE2267: not a line of a recipe */
  noLineOfARecipe: (slots: MessageSlots["MOE2267"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2267", messages.MOE2267, slots, span, parts),
  /** MOE2268: only a recipe sets parameters */
  onlyRecipesSetParameters: (slots: MessageSlots["MOE2268"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2268", messages.MOE2268, slots, span, parts),
  /** MOE2269: not a module */
  notAModule: (slots: MessageSlots["MOE2269"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2269", messages.MOE2269, slots, span, parts),
  /** MOE2270: the recipe does not apply */
  recipeDoesNotApply: (slots: MessageSlots["MOE2270"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2270", messages.MOE2270, slots, span, parts),
  /** MOE2271: a recipe cannot be called here */
  recipeCalledHere: (slots: MessageSlots["MOE2271"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2271", messages.MOE2271, slots, span, parts),
  /** MOE2272: reads what it makes */
  readsWhatItMakes: (slots: MessageSlots["MOE2272"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2272", messages.MOE2272, slots, span, parts),
  /** MOE2273: recipe applies itself */
  recipeAppliesItself: (slots: MessageSlots["MOE2273"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2273", messages.MOE2273, slots, span, parts),
  /** MOE2280: cache filled twice in a call */
  cacheFilledTwice: (slots: MessageSlots["MOE2280"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2280", messages.MOE2280, slots, span, parts),
  /** MOE2281: axis of queries open */
  axisOfQueriesOpen: (slots: MessageSlots["MOE2281"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2281", messages.MOE2281, slots, span, parts),
  /** MOE2282: size below one */
  sizeBelowOne: (slots: MessageSlots["MOE2282"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2282", messages.MOE2282, slots, span, parts),
  /** MOE2290: axis that no argument decides */
  axisThatNoArgumentDecides: (slots: MessageSlots["MOE2290"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE2290", messages.MOE2290, slots, span, parts),
  /** MOE3101: unknown pass */
  unknownPass: (slots: MessageSlots["MOE3101"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE3101", messages.MOE3101, slots, span, parts),
  /** MOE3102: pass broke the graph */
  passBrokeTheGraph: (slots: MessageSlots["MOE3102"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE3102", messages.MOE3102, slots, span, parts),
  /** MOE3301: op has no kernel */
  opHasNoKernel: (slots: MessageSlots["MOE3301"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE3301", messages.MOE3301, slots, span, parts),
  /** MOE3302: memory limit */
  memoryLimit: (slots: MessageSlots["MOE3302"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE3302", messages.MOE3302, slots, span, parts),
  /** MOE3303: size not known at build */
  sizeNotKnownAtBuild: (slots: MessageSlots["MOE3303"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE3303", messages.MOE3303, slots, span, parts),
  /** MOE3304: blocks do not fit */
  blocksDoNotFit: (slots: MessageSlots["MOE3304"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE3304", messages.MOE3304, slots, span, parts),
  /** MOE3305: too many numbers in one buffer */
  tooManyNumbers: (slots: MessageSlots["MOE3305"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE3305", messages.MOE3305, slots, span, parts),
  /** MOE3350: format without kernels */
  formatWithoutKernels: (slots: MessageSlots["MOE3350"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE3350", messages.MOE3350, slots, span, parts),
  /** MOE3351: cache without whole blocks */
  cacheWithoutWholeBlocks: (slots: MessageSlots["MOE3351"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE3351", messages.MOE3351, slots, span, parts),
  /** MOE3352: cache format without kernels */
  cacheFormatWithoutKernels: (slots: MessageSlots["MOE3352"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE3352", messages.MOE3352, slots, span, parts),
  /** MOE3370: mixture in an expert */
  mixtureInAnExpert: (slots: MessageSlots["MOE3370"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE3370", messages.MOE3370, slots, span, parts),
  /** MOE3371: open number of slots */
  openNumberOfSlots: (slots: MessageSlots["MOE3371"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE3371", messages.MOE3371, slots, span, parts),
  /** MOE4201: LLVM is not here */
  noLlvm: (slots: MessageSlots["MOE4201"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4201", messages.MOE4201, slots, span, parts),
  /** MOE4202: LLVM refuses a module */
  llvmRefuses: (slots: MessageSlots["MOE4202"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4202", messages.MOE4202, slots, span, parts),
  /** MOE4203: native code can't run here */
  noNativeHere: (slots: MessageSlots["MOE4203"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4203", messages.MOE4203, slots, span, parts),
  /** MOE4204: the processor has none of the levels */
  processorBelowLevels: (slots: MessageSlots["MOE4204"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4204", messages.MOE4204, slots, span, parts),
  /** MOE4205: the system refuses memory */
  memoryRefused: (slots: MessageSlots["MOE4205"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4205", messages.MOE4205, slots, span, parts),
  /** MOE4206: an object can't be loaded */
  damagedObject: (slots: MessageSlots["MOE4206"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4206", messages.MOE4206, slots, span, parts),
  /** MOE4207: a file of weights changed while it was in use */
  weightsChanged: (slots: MessageSlots["MOE4207"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4207", messages.MOE4207, slots, span, parts),
  /** MOE4208: a thread can't be started */
  threadNotStarted: (slots: MessageSlots["MOE4208"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4208", messages.MOE4208, slots, span, parts),
  /** MOE4209: the engine refuses memory */
  engineRefusesMemory: (slots: MessageSlots["MOE4209"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4209", messages.MOE4209, slots, span, parts),
  /** MOE4230: no CUDA here */
  noCuda: (slots: MessageSlots["MOE4230"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4230", messages.MOE4230, slots, span, parts),
  /** MOE4231: the driver refuses the kernels */
  cudaRefusesKernels: (slots: MessageSlots["MOE4231"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4231", messages.MOE4231, slots, span, parts),
  /** MOE4232: no code for this GPU */
  noCudaCodeForGpu: (slots: MessageSlots["MOE4232"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4232", messages.MOE4232, slots, span, parts),
  /** MOE4233: the GPU has too little memory */
  gpuMemory: (slots: MessageSlots["MOE4233"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4233", messages.MOE4233, slots, span, parts),
  /** MOE4234: the GPU failed */
  cudaCallFailed: (slots: MessageSlots["MOE4234"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4234", messages.MOE4234, slots, span, parts),
  /** MOE4235: no CUDA compiler */
  noNvcc: (slots: MessageSlots["MOE4235"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4235", messages.MOE4235, slots, span, parts),
  /** MOE4236: the CUDA compiler refuses the kernels */
  nvccRefuses: (slots: MessageSlots["MOE4236"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4236", messages.MOE4236, slots, span, parts),
  /** MOE4240: No matrices in registers */
  noMatricesInRegisters: (slots: MessageSlots["MOE4240"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4240", messages.MOE4240, slots, span, parts),
  /** MOE4280: native kernels for another system or processor */
  otherPlatform: (slots: MessageSlots["MOE4280"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4280", messages.MOE4280, slots, span, parts),
  /** MOE4301: worker can't start */
  workerCannotStart: (slots: MessageSlots["MOE4301"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4301", messages.MOE4301, slots, span, parts),
  /** MOE4302: page is not secure */
  insecurePage: (slots: MessageSlots["MOE4302"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4302", messages.MOE4302, slots, span, parts),
  /** MOE4303: the runtime of bundles is not built */
  browserRuntimeMissing: (slots: MessageSlots["MOE4303"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4303", messages.MOE4303, slots, span, parts),
  /** MOE4304: file not fetched */
  fileNotFetched: (slots: MessageSlots["MOE4304"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4304", messages.MOE4304, slots, span, parts),
  /** MOE4310: kernel binds too much */
  tooManyBindings: (slots: MessageSlots["MOE4310"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4310", messages.MOE4310, slots, span, parts),
  /** MOE4311: model exceeds the GPU's limits */
  exceedsGpuLimits: (slots: MessageSlots["MOE4311"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4311", messages.MOE4311, slots, span, parts),
  /** MOE4312: GPU driver refuses a kernel */
  gpuRefusesKernel: (slots: MessageSlots["MOE4312"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4312", messages.MOE4312, slots, span, parts),
  /** MOE4313: GPU failed */
  gpuFailed: (slots: MessageSlots["MOE4313"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4313", messages.MOE4313, slots, span, parts),
  /** MOE4314: no GPU here */
  noGpu: (slots: MessageSlots["MOE4314"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4314", messages.MOE4314, slots, span, parts),
  /** MOE4501: No such vector on this target */
  noSuchVector: (slots: MessageSlots["MOE4501"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4501", messages.MOE4501, slots, span, parts),
  /** MOE4502: Target has one thread in a block */
  threadsInABlock: (slots: MessageSlots["MOE4502"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4502", messages.MOE4502, slots, span, parts),
  /** MOE4503: Printer of another target */
  printerOfAnotherTarget: (slots: MessageSlots["MOE4503"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4503", messages.MOE4503, slots, span, parts),
  /** MOE4504: Block does not fit on this target */
  blockDoesNotFit: (slots: MessageSlots["MOE4504"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE4504", messages.MOE4504, slots, span, parts),
  /** MOE5101: not a checkpoint */
  notACheckpoint: (slots: MessageSlots["MOE5101"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5101", messages.MOE5101, slots, span, parts),
  /** MOE5102: file is cut off */
  fileIsCutOff: (slots: MessageSlots["MOE5102"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5102", messages.MOE5102, slots, span, parts),
  /** MOE5103: unsupported GGUF version */
  unsupportedGgufVersion: (slots: MessageSlots["MOE5103"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5103", messages.MOE5103, slots, span, parts),
  /** MOE5104: impossible count */
  impossibleCount: (slots: MessageSlots["MOE5104"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5104", messages.MOE5104, slots, span, parts),
  /** MOE5105: number too large */
  numberTooLarge: (slots: MessageSlots["MOE5105"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5105", messages.MOE5105, slots, span, parts),
  /** MOE5106: text is not UTF-8 */
  textIsNotUtf8: (slots: MessageSlots["MOE5106"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5106", messages.MOE5106, slots, span, parts),
  /** MOE5107: name appears twice */
  nameAppearsTwice: (slots: MessageSlots["MOE5107"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5107", messages.MOE5107, slots, span, parts),
  /** MOE5108: unsupported tensor type */
  unsupportedTensorType: (slots: MessageSlots["MOE5108"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5108", messages.MOE5108, slots, span, parts),
  /** MOE5109: tensor outside the file */
  tensorOutsideTheFile: (slots: MessageSlots["MOE5109"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5109", messages.MOE5109, slots, span, parts),
  /** MOE5110: tensors share bytes */
  tensorsShareBytes: (slots: MessageSlots["MOE5110"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5110", messages.MOE5110, slots, span, parts),
  /** MOE5111: impossible shape */
  impossibleShape: (slots: MessageSlots["MOE5111"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5111", messages.MOE5111, slots, span, parts),
  /** MOE5112: bad metadata */
  badMetadata: (slots: MessageSlots["MOE5112"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5112", messages.MOE5112, slots, span, parts),
  /** MOE5113: bad alignment */
  badAlignment: (slots: MessageSlots["MOE5113"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5113", messages.MOE5113, slots, span, parts),
  /** MOE5114: damaged safetensors header */
  damagedSafetensorsHeader: (slots: MessageSlots["MOE5114"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5114", messages.MOE5114, slots, span, parts),
  /** MOE5115: damaged shard index */
  damagedShardIndex: (slots: MessageSlots["MOE5115"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5115", messages.MOE5115, slots, span, parts),
  /** MOE5116: no such tensor */
  noSuchTensor: (slots: MessageSlots["MOE5116"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5116", messages.MOE5116, slots, span, parts),
  /** MOE5117: tensor cannot be written */
  tensorCannotBeWritten: (slots: MessageSlots["MOE5117"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5117", messages.MOE5117, slots, span, parts),
  /** MOE5118: value cannot be quantized */
  valueCannotBeQuantized: (slots: MessageSlots["MOE5118"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5118", messages.MOE5118, slots, span, parts),
  /** MOE5119: unknown model family */
  unknownModelFamily: (slots: MessageSlots["MOE5119"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5119", messages.MOE5119, slots, span, parts),
  /** MOE5120: bad model config */
  badModelConfig: (slots: MessageSlots["MOE5120"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5120", messages.MOE5120, slots, span, parts),
  /** MOE5121: unsupported model option */
  unsupportedModelOption: (slots: MessageSlots["MOE5121"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5121", messages.MOE5121, slots, span, parts),
  /** MOE5122: tensor of another shape */
  tensorOfAnotherShape: (slots: MessageSlots["MOE5122"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5122", messages.MOE5122, slots, span, parts),
  /** MOE5123: file cannot be read */
  fileCannotBeRead: (slots: MessageSlots["MOE5123"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5123", messages.MOE5123, slots, span, parts),
  /** MOE5124: tensors without a place */
  tensorsWithoutAPlace: (slots: MessageSlots["MOE5124"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5124", messages.MOE5124, slots, span, parts),
  /** MOE5125: no GGUF of this family */
  noGgufOfThisFamily: (slots: MessageSlots["MOE5125"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5125", messages.MOE5125, slots, span, parts),
  /** MOE5126: spec is not the checkpoint's */
  specIsNotTheCheckpoints: (slots: MessageSlots["MOE5126"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5126", messages.MOE5126, slots, span, parts),
  /** MOE5127: parts of different models */
  partsOfDifferentModels: (slots: MessageSlots["MOE5127"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5127", messages.MOE5127, slots, span, parts),
  /** MOE5128: not said in GGUF */
  notSaidInGguf: (slots: MessageSlots["MOE5128"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5128", messages.MOE5128, slots, span, parts),
  /** MOE5201: tokenizer file is not JSON */
  tokenizerFileIsNotJson: (slots: MessageSlots["MOE5201"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5201", messages.MOE5201, slots, span, parts),
  /** MOE5202: tokenizer file has another form */
  tokenizerFileHasAnotherForm: (slots: MessageSlots["MOE5202"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5202", messages.MOE5202, slots, span, parts),
  /** MOE5203: unsupported tokenizer part */
  unsupportedTokenizerPart: (slots: MessageSlots["MOE5203"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5203", messages.MOE5203, slots, span, parts),
  /** MOE5204: damaged vocabulary */
  damagedVocabulary: (slots: MessageSlots["MOE5204"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5204", messages.MOE5204, slots, span, parts),
  /** MOE5205: no embedded tokenizer */
  noEmbeddedTokenizer: (slots: MessageSlots["MOE5205"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5205", messages.MOE5205, slots, span, parts),
  /** MOE5206: unsupported embedded tokenizer */
  unsupportedEmbeddedTokenizer: (slots: MessageSlots["MOE5206"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5206", messages.MOE5206, slots, span, parts),
  /** MOE5207: token id out of range */
  tokenIdOutOfRange: (slots: MessageSlots["MOE5207"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5207", messages.MOE5207, slots, span, parts),
  /** MOE5208: unknown special token */
  unknownSpecialToken: (slots: MessageSlots["MOE5208"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5208", messages.MOE5208, slots, span, parts),
  /** MOE5209: tokenizer not for GGUF */
  tokenizerNotForGguf: (slots: MessageSlots["MOE5209"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5209", messages.MOE5209, slots, span, parts),
  /** MOE5301: not a bundle */
  notABundle: (slots: MessageSlots["MOE5301"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5301", messages.MOE5301, slots, span, parts),
  /** MOE5302: damaged manifest */
  damagedManifest: (slots: MessageSlots["MOE5302"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5302", messages.MOE5302, slots, span, parts),
  /** MOE5303: bundle of another version */
  otherAbi: (slots: MessageSlots["MOE5303"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5303", messages.MOE5303, slots, span, parts),
  /** MOE5304: missing bundle file */
  missingBundleFile: (slots: MessageSlots["MOE5304"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5304", messages.MOE5304, slots, span, parts),
  /** MOE5305: bundle file of another size */
  otherSize: (slots: MessageSlots["MOE5305"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5305", messages.MOE5305, slots, span, parts),
  /** MOE5306: bundle file of another content */
  otherHash: (slots: MessageSlots["MOE5306"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5306", messages.MOE5306, slots, span, parts),
  /** MOE5307: path outside the bundle */
  pathOutsideBundle: (slots: MessageSlots["MOE5307"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5307", messages.MOE5307, slots, span, parts),
  /** MOE5308: device not in the bundle */
  deviceNotInBundle: (slots: MessageSlots["MOE5308"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5308", messages.MOE5308, slots, span, parts),
  /** MOE5309: device cannot run here */
  deviceCannotRun: (slots: MessageSlots["MOE5309"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5309", messages.MOE5309, slots, span, parts),
  /** MOE5310: weights exceed the memory */
  weightsExceedMemory: (slots: MessageSlots["MOE5310"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5310", messages.MOE5310, slots, span, parts),
  /** MOE5311: folder is not a bundle */
  folderIsNotABundle: (slots: MessageSlots["MOE5311"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5311", messages.MOE5311, slots, span, parts),
  /** MOE5312: damaged plan */
  damagedPlan: (slots: MessageSlots["MOE5312"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5312", messages.MOE5312, slots, span, parts),
  /** MOE5313: bundle without tokenizer */
  bundleWithoutTokenizer: (slots: MessageSlots["MOE5313"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5313", messages.MOE5313, slots, span, parts),
  /** MOE5314: build in progress */
  buildInProgress: (slots: MessageSlots["MOE5314"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5314", messages.MOE5314, slots, span, parts),
  /** MOE5320: context full */
  contextFull: (slots: MessageSlots["MOE5320"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5320", messages.MOE5320, slots, span, parts),
  /** MOE5321: bad input */
  badInput: (slots: MessageSlots["MOE5321"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5321", messages.MOE5321, slots, span, parts),
  /** MOE5322: no such entry point */
  noSuchEntry: (slots: MessageSlots["MOE5322"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5322", messages.MOE5322, slots, span, parts),
  /** MOE5323: bad option */
  badOption: (slots: MessageSlots["MOE5323"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5323", messages.MOE5323, slots, span, parts),
  /** MOE5324: model was disposed */
  modelDisposed: (slots: MessageSlots["MOE5324"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5324", messages.MOE5324, slots, span, parts),
  /** MOE5325: model is busy */
  modelBusy: (slots: MessageSlots["MOE5325"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5325", messages.MOE5325, slots, span, parts),
  /** MOE5326: no names for this checkpoint format */
  noNamesForFormat: (slots: MessageSlots["MOE5326"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5326", messages.MOE5326, slots, span, parts),
  /** MOE5327: parameter without tensor */
  parameterWithoutTensor: (slots: MessageSlots["MOE5327"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5327", messages.MOE5327, slots, span, parts),
  /** MOE5329: kernel failed */
  kernelFailed: (slots: MessageSlots["MOE5329"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5329", messages.MOE5329, slots, span, parts),
  /** MOE5330: not a language model */
  notALanguageModel: (slots: MessageSlots["MOE5330"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5330", messages.MOE5330, slots, span, parts),
  /** MOE5401: project file is not YAML */
  projectFileSyntax: (slots: MessageSlots["MOE5401"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5401", messages.MOE5401, slots, span, parts),
  /** MOE5402: wrong key in the project file */
  projectFileKey: (slots: MessageSlots["MOE5402"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5402", messages.MOE5402, slots, span, parts),
  /** MOE5403: no project */
  noProject: (slots: MessageSlots["MOE5403"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5403", messages.MOE5403, slots, span, parts),
  /** MOE5404: file exists already */
  wouldOverwrite: (slots: MessageSlots["MOE5404"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5404", messages.MOE5404, slots, span, parts),
  /** MOE5407: no weights */
  noWeights: (slots: MessageSlots["MOE5407"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5407", messages.MOE5407, slots, span, parts),
  /** MOE5420: no cost */
  noCost: (slots: MessageSlots["MOE5420"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5420", messages.MOE5420, slots, span, parts),
  /** MOE5421: a size is missing */
  sizeMissing: (slots: MessageSlots["MOE5421"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5421", messages.MOE5421, slots, span, parts),
  /** MOE5440: no such recipe */
  noSuchRecipe: (slots: MessageSlots["MOE5440"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5440", messages.MOE5440, slots, span, parts),
  /** MOE5441: no checkpoint of a part */
  noCheckpointOfAPart: (slots: MessageSlots["MOE5441"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5441", messages.MOE5441, slots, span, parts),
  /** MOE5442: sources of the recipe */
  sourcesOfTheRecipe: (slots: MessageSlots["MOE5442"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5442", messages.MOE5442, slots, span, parts),
  /** MOE5443: not kept in this format */
  notKeptInThisFormat: (slots: MessageSlots["MOE5443"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5443", messages.MOE5443, slots, span, parts),
  /** MOE5444: no experts to count */
  noExpertsToCount: (slots: MessageSlots["MOE5444"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5444", messages.MOE5444, slots, span, parts),
  /** MOE5445: tensors that nothing reads */
  tensorsNotRead: (slots: MessageSlots["MOE5445"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5445", messages.MOE5445, slots, span, parts),
  /** MOE5446: value not kept by the type */
  valueNotKeptByTheType: (slots: MessageSlots["MOE5446"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5446", messages.MOE5446, slots, span, parts),
  /** MOE5447: checkpoint not written */
  checkpointNotWritten: (slots: MessageSlots["MOE5447"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5447", messages.MOE5447, slots, span, parts),
  /** MOE5448: another checkpoint in the folder */
  anotherCheckpointInTheFolder: (slots: MessageSlots["MOE5448"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5448", messages.MOE5448, slots, span, parts),
  /** MOE5449: no such source */
  noSuchSource: (slots: MessageSlots["MOE5449"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5449", messages.MOE5449, slots, span, parts),
  /** MOE5450: no tensor for the recipe */
  noTensorForTheRecipe: (slots: MessageSlots["MOE5450"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5450", messages.MOE5450, slots, span, parts),
  /** MOE5460: file or folder cannot be used */
  fileCannotBeUsed: (slots: MessageSlots["MOE5460"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5460", messages.MOE5460, slots, span, parts),
  /** MOE5461: wrong command line */
  wrongCommandLine: (slots: MessageSlots["MOE5461"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5461", messages.MOE5461, slots, span, parts),
  /** MOE5465: no such device to train on */
  noSuchDeviceToTrainOn: (slots: MessageSlots["MOE5465"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5465", messages.MOE5465, slots, span, parts),
  /** MOE5466: experts over too many devices */
  expertsOverTooManyDevices: (slots: MessageSlots["MOE5466"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5466", messages.MOE5466, slots, span, parts),
  /** MOE5467: files cannot be put back */
  filesCannotBePutBack: (slots: MessageSlots["MOE5467"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5467", messages.MOE5467, slots, span, parts),
  /** MOE5468: more tokens than rows */
  moreTokensThanRows: (slots: MessageSlots["MOE5468"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5468", messages.MOE5468, slots, span, parts),
  /** MOE5501: Kernel leaves a buffer */
  kernelAccessOutOfBounds: (slots: MessageSlots["MOE5501"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5501", messages.MOE5501, slots, span, parts),
  /** MOE5502: Kernel divides an integer by zero */
  kernelDividesByZero: (slots: MessageSlots["MOE5502"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5502", messages.MOE5502, slots, span, parts),
  /** MOE5503: Threads of a block miss a barrier */
  threadsMissABarrier: (slots: MessageSlots["MOE5503"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5503", messages.MOE5503, slots, span, parts),
  /** MOE5504: No such kernel */
  noSuchKernel: (slots: MessageSlots["MOE5504"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5504", messages.MOE5504, slots, span, parts),
  /** MOE5505: Kernel is launched with other arguments */
  kernelArgumentsDiffer: (slots: MessageSlots["MOE5505"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5505", messages.MOE5505, slots, span, parts),
  /** MOE5506: Buffer is not aligned */
  misalignedBuffer: (slots: MessageSlots["MOE5506"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5506", messages.MOE5506, slots, span, parts),
  /** MOE5511: address is not free */
  addressNotFree: (slots: MessageSlots["MOE5511"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5511", messages.MOE5511, slots, span, parts),
  /** MOE5512: exposed without a key */
  exposedWithoutKey: (slots: MessageSlots["MOE5512"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5512", messages.MOE5512, slots, span, parts),
  /** MOE5513: request body is too large */
  requestBodyTooLarge: (slots: MessageSlots["MOE5513"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5513", messages.MOE5513, slots, span, parts),
  /** MOE5514: request body is not JSON */
  requestBodyNotJson: (slots: MessageSlots["MOE5514"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5514", messages.MOE5514, slots, span, parts),
  /** MOE5515: wrong parameter of a request */
  requestParameter: (slots: MessageSlots["MOE5515"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5515", messages.MOE5515, slots, span, parts),
  /** MOE5516: request from another site */
  requestFromElsewhere: (slots: MessageSlots["MOE5516"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5516", messages.MOE5516, slots, span, parts),
  /** MOE5517: key is missing or wrong */
  requestWithoutKey: (slots: MessageSlots["MOE5517"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5517", messages.MOE5517, slots, span, parts),
  /** MOE5518: no such route */
  noSuchRoute: (slots: MessageSlots["MOE5518"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5518", messages.MOE5518, slots, span, parts),
  /** MOE5519: queue is full */
  queueIsFull: (slots: MessageSlots["MOE5519"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5519", messages.MOE5519, slots, span, parts),
  /** MOE5520: model can't do that */
  modelCannotDoThat: (slots: MessageSlots["MOE5520"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5520", messages.MOE5520, slots, span, parts),
  /** MOE5521: server is closing */
  serverIsClosing: (slots: MessageSlots["MOE5521"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5521", messages.MOE5521, slots, span, parts),
  /** MOE5522: request is too slow */
  requestTooSlow: (slots: MessageSlots["MOE5522"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5522", messages.MOE5522, slots, span, parts),
  /** MOE5523: no such model */
  noSuchModelServed: (slots: MessageSlots["MOE5523"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5523", messages.MOE5523, slots, span, parts),
  /** MOE5524: chat template fails */
  chatTemplateFails: (slots: MessageSlots["MOE5524"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5524", messages.MOE5524, slots, span, parts),
  /** MOE5525: chat template does not parse */
  chatTemplateDoesNotParse: (slots: MessageSlots["MOE5525"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5525", messages.MOE5525, slots, span, parts),
  /** MOE5601: no ONNX counterpart */
  noOnnxCounterpart: (slots: MessageSlots["MOE5601"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5601", messages.MOE5601, slots, span, parts),
  /** MOE5602: not for ONNX */
  notForOnnx: (slots: MessageSlots["MOE5602"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5602", messages.MOE5602, slots, span, parts),
  /** MOE5610: operator cannot say this */
  operatorCannotSay: (slots: MessageSlots["MOE5610"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5610", messages.MOE5610, slots, span, parts),
  /** MOE5611: damaged ONNX file */
  damagedOnnxFile: (slots: MessageSlots["MOE5611"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5611", messages.MOE5611, slots, span, parts),
  /** MOE5612: external data elsewhere */
  externalDataElsewhere: (slots: MessageSlots["MOE5612"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5612", messages.MOE5612, slots, span, parts),
  /** MOE5613: ONNX needs a spec */
  onnxNeedsASpec: (slots: MessageSlots["MOE5613"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5613", messages.MOE5613, slots, span, parts),
} as const;
