/** Where users may write without being asked: homes, folders for everybody, and what Homebrew gives to a user. */
const usersMayWrite =
  /^(?:~|\$\{?HOME\b|%h|\/Users(?:\/|$)|\/(?:private\/)?(?:tmp|var\/tmp|var\/folders)(?:\/|$)|\/Volumes\/|\/opt\/homebrew(?:\/|$))/i;

/** The folders of a search path in which a user may place a program: those of users, and those relative to wherever one is. */
export function writableFolders(value: string): string[] {
  return value
    .slice(0, 16_384)
    .split(':', 256)
    .filter((one) => !one.startsWith('/') || usersMayWrite.test(one));
}

/** Variables that make another program load or run something. Source: dyld(1), bash(1), zsh(1), the manuals of the languages. */
const telling =
  /^(?:DYLD_.*|LD_.*|BASH_ENV|ENV|ZDOTDIR|PROMPT_COMMAND|PYTHON(?:STARTUP|PATH|HOME|INSPECT)|PERL5(?:OPT|LIB|DB)|RUBY(?:OPT|LIB)|NODE_(?:OPTIONS|PATH)|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_JAVA_OPTIONS|GIT_(?:SSH(?:_COMMAND)?|EXTERNAL_DIFF|ASKPASS|EXEC_PATH|TEMPLATE_DIR|PROXY_COMMAND|CONFIG.*)|(?:SSH|SUDO)_ASKPASS|SHELL|EDITOR|VISUAL|PAGER|LUA_INIT.*|VIMINIT|EXINIT|MYVIMRC|LESSOPEN)$/;

/** Whether a variable of this name can make a program run what it names. */
export function isTellingVariable(name: string): boolean {
  return telling.test(name.slice(0, 256));
}
