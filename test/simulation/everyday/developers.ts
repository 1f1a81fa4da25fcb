import { type Activity, apple, homebrew, type Program, type World } from './world.js';

const zsh = apple('/bin/zsh');
const sh = apple('/bin/sh');
const git: Program = {
  image: '/Library/Developer/CommandLineTools/usr/bin/git',
  id: 'com.apple.git',
};
const node: Program = { image: '/opt/homebrew/Cellar/node/24.1.0/bin/node', adHoc: true };
const python: Program = {
  image: '/Library/Frameworks/Python.framework/Versions/3.13/Resources/Python.app/Contents/MacOS/Python',
  id: 'org.python.python',
  team: 'BMM5U3QVKW',
};
const code: Program = {
  image: '/Applications/Visual Studio Code.app/Contents/MacOS/Code',
  id: 'com.microsoft.VSCode',
  team: 'UBF8T346G9',
};

const terminal = (world: World) => {
  const user = world.user();
  const login = world.launched(apple('/usr/bin/login'), ['-fp', user.name], user.uid);
  return { user, shell: world.started(login, zsh, ['-l']) };
};

export const developers: readonly Activity[] = [
  {
    name: 'git in a terminal',
    weight: 8,
    play(world) {
      const { user, shell } = terminal(world);
      const repository = `${user.home}/src/${world.pick(['app', 'site', 'infra', 'agent'])}`;
      for (const verb of ['status', 'fetch', 'add', 'commit', 'rebase'].slice(0, world.number(1, 5))) {
        const process = world.started(shell, git, [verb]);
        if (verb === 'fetch') world.ran(process, apple('/usr/bin/ssh'), 'git@example.com', 'git-upload-pack');
        for (let left = world.number(1, 6); left > 0; left--)
          world.created(process, `${repository}/.git/objects/${world.hex(2)}/${world.hex(38)}`);
        world.replaced(process, `${repository}/.git/index`);
        world.ended(process);
      }
      world.ended(shell);
    },
  },
  {
    name: 'npm installs packages and runs their scripts',
    weight: 3,
    play(world) {
      const { user, shell } = terminal(world);
      const npm = world.started(shell, node, ['/opt/homebrew/bin/npm', world.pick(['ci', 'install'])]);
      const modules = `${user.home}/src/site/node_modules`;
      for (let left = world.number(30, 90); left > 0; left--)
        world.created(
          npm,
          `${modules}/${world.pick(['vite', 'react', 'esbuild', 'sharp'])}/${world.hex(8)}.js`,
        );
      const script = world.started(npm, sh, ['-c', world.pick(['node install.js', 'node-gyp rebuild'])]);
      world.ran(script, node, 'install.js');
      world.ran(script, apple('/usr/bin/make'), 'BUILDTYPE=Release', '-C', 'build');
      world.ran(
        script,
        apple('/usr/bin/curl'),
        '-fsSL',
        '-o',
        'binary.tgz',
        'https://downloads.example/b.tgz',
      );
      for (const one of [script, npm, shell]) world.ended(one);
    },
  },
  {
    name: 'python: environments, packages, one-liners',
    weight: 3,
    play(world) {
      const { user, shell } = terminal(world);
      const packages = `${user.home}/src/data/.venv/lib/python3.13/site-packages`;
      const pip = world.started(shell, python, ['-m', 'pip', 'install', '-r', 'requirements.txt']);
      for (let left = world.number(10, 50); left > 0; left--)
        world.created(pip, `${packages}/${world.pick(['numpy', 'pandas', 'requests'])}/${world.hex(6)}.py`);
      world.ran(pip, python, '-c', 'import sysconfig; print(sysconfig.get_paths())');
      // A start-up file of packages, as setuptools leaves it.
      if (world.chance() < 0.2) world.created(pip, `${packages}/distutils-precedence.pth`);
      world.ended(pip);
      world.ran(shell, python, 'train.py', '--epochs', String(world.number(1, 20)));
      world.ended(shell);
    },
  },
  {
    name: 'Xcode builds, signs and runs',
    weight: 3,
    play(world) {
      const { home, uid } = world.user();
      const xcode = world.launched(apple('/Applications/Xcode.app/Contents/MacOS/Xcode'), [], uid);
      const build = world.started(
        xcode,
        apple('/Applications/Xcode.app/Contents/Developer/usr/bin/xcodebuild'),
      );
      const products = `${home}/Library/Developer/Xcode/DerivedData/App-${world.hex(8)}/Build`;
      for (let left = world.number(8, 30); left > 0; left--) {
        const clang = world.started(
          build,
          apple(
            '/Applications/Xcode.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr/bin/clang',
          ),
          ['-c', `${world.hex(4)}.m`],
        );
        world.created(clang, `${products}/Intermediates.noindex/${world.hex(6)}.o`);
        world.ended(clang);
      }
      world.created(build, `${products}/Products/Debug/App.app/Contents/MacOS/App`);
      world.created(build, `${products}/Products/Debug/App.app/Contents/Info.plist`);
      world.created(
        build,
        `${products}/Products/Debug/App.app/Contents/Library/LaunchAgents/com.example.app.helper.plist`,
      );
      world.ran(
        build,
        apple('/usr/bin/codesign'),
        '--force',
        '--sign',
        '-',
        `${products}/Products/Debug/App.app`,
      );
      world.ran(build, { image: `${products}/Products/Debug/App.app/Contents/MacOS/App`, adHoc: true });
      for (const one of [build, xcode]) world.ended(one);
    },
  },
  {
    name: 'make, cargo, go and swift',
    weight: 4,
    play(world) {
      const { user, shell } = terminal(world);
      const [tool, compiler] = world.pick([
        ['cargo', 'rustc'],
        ['go', 'compile'],
        ['cmake', 'ninja'],
      ] as const);
      const build = world.started(shell, { image: `${user.home}/.cargo/bin/${tool}`, adHoc: true }, [
        'build',
      ]);
      for (let left = world.number(5, 40); left > 0; left--) {
        const one = world.started(build, { image: `/opt/homebrew/bin/${compiler}`, adHoc: true }, [
          world.hex(6),
        ]);
        world.created(one, `${user.home}/src/agent/target/debug/deps/lib${world.hex(12)}.rlib`);
        world.ended(one);
      }
      world.ran(shell, { image: `${user.home}/src/agent/target/debug/agent`, adHoc: true }, '--version');
      for (const one of [build, shell]) world.ended(one);
    },
  },
  {
    name: 'an editor saves, formats and asks git',
    weight: 8,
    play(world) {
      const { home, uid } = world.user();
      const editor = world.launched(code, [], uid);
      const project = `${home}/src/app`;
      for (let left = world.number(3, 12); left > 0; left--) {
        world.changed(editor, `${project}/src/${world.hex(5)}.ts`);
        world.ran(editor, git, '--no-optional-locks', 'status', '-z', '-uall');
      }
      world.replaced(editor, `${home}/Library/Application Support/Code/User/globalStorage/state.vscdb`);
      if (world.chance() < 0.05)
        world.wrote(
          editor,
          `${project}/.vscode/settings.json`,
          `{"editor.tabSize": ${world.number(2, 4)}}\n`,
        );
      world.ended(editor);
    },
  },
  {
    name: 'containers',
    weight: 3,
    play(world) {
      const docker = {
        image: '/Applications/Docker.app/Contents/Resources/bin/docker',
        id: 'docker',
        team: '9BNSXJN65R',
      };
      const { shell } = terminal(world);
      const compose = world.started(shell, docker, ['compose', 'up', '-d']);
      for (let left = world.number(2, 8); left > 0; left--)
        world.ran(compose, docker, 'ps', '--format', 'json');
      const backend = world.launched(
        {
          image: '/Applications/Docker.app/Contents/MacOS/com.docker.backend',
          id: 'com.docker',
          team: '9BNSXJN65R',
        },
        ['fork'],
        501,
      );
      world.changed(
        backend,
        `/Users/alice/Library/Containers/com.docker.docker/Data/log/vm/${world.hex(4)}.log`,
      );
      for (const one of [compose, shell, backend]) world.ended(one);
    },
  },
  {
    name: 'Homebrew updates and upgrades',
    weight: 2,
    play(world) {
      const { shell } = terminal(world);
      const brew = world.started(shell, apple('/bin/bash'), [
        '-p',
        '/opt/homebrew/bin/brew',
        world.pick(['update', 'upgrade', 'outdated']),
      ]);
      const ruby = world.started(
        brew,
        { image: '/opt/homebrew/Library/Homebrew/vendor/portable-ruby/current/bin/ruby', adHoc: true },
        ['-W1', '/opt/homebrew/Library/Homebrew/brew.rb', 'upgrade'],
      );
      const keg = `/opt/homebrew/Cellar/${world.pick(['jq', 'ripgrep', 'openssl@3', 'postgresql@16'])}/${world.number(1, 9)}.${world.number(0, 9)}`;
      world.ran(
        ruby,
        apple('/usr/bin/curl'),
        '--disable',
        '--location',
        '--output',
        '/Users/alice/Library/Caches/Homebrew/x.tar.gz',
      );
      world.ran(ruby, apple('/usr/bin/tar'), '-xof', '/Users/alice/Library/Caches/Homebrew/x.tar.gz');
      for (let left = world.number(10, 40); left > 0; left--)
        world.created(ruby, `${keg}/lib/${world.hex(8)}`);
      world.ran(
        ruby,
        apple('/usr/bin/install_name_tool'),
        '-change',
        '@@HOMEBREW_PREFIX@@',
        '/opt/homebrew',
        `${keg}/bin/x`,
      );
      world.ran(ruby, apple('/usr/bin/codesign'), '--sign', '-', '--force', `${keg}/bin/x`);
      world.ran(ruby, apple('/usr/bin/xattr'), '-d', 'com.apple.quarantine', `${keg}/bin/x`);
      world.ran(ruby, apple('/bin/launchctl'), 'list', 'homebrew.mxcl.postgresql@16');
      for (const one of [ruby, brew, shell]) world.ended(one);
    },
  },
  {
    name: 'a developer looks after launchd, keys and rights',
    weight: 2,
    play(world) {
      const { user, shell } = terminal(world);
      const launchctl = apple('/bin/launchctl');
      world.ran(shell, launchctl, 'list');
      world.ran(shell, launchctl, 'print', `gui/${user.uid}`);
      world.ran(shell, launchctl, 'blame', `gui/${user.uid}/dev.bob.agent`);
      world.ran(shell, launchctl, 'getenv', 'PATH');
      world.ran(shell, launchctl, 'setenv', 'JAVA_HOME', '/Library/Java/JavaVirtualMachines/jdk-21.jdk');
      world.ran(shell, apple('/usr/bin/crontab'), '-l');
      world.ran(
        shell,
        apple('/usr/bin/plutil'),
        '-lint',
        `${user.home}/Library/LaunchAgents/dev.bob.agent.plist`,
      );
      world.ran(shell, apple('/usr/libexec/PlistBuddy'), '-c', 'Print :ProgramArguments', 'x.plist');
      world.ran(shell, apple('/usr/bin/security'), 'find-identity', '-v', '-p', 'codesigning');
      world.ran(shell, apple('/usr/bin/sudo'), '-n', 'true');
      world.ran(shell, apple('/bin/chmod'), '+x', `${user.home}/src/agent/run.sh`);
      world.ran(shell, sh, `${user.home}/src/agent/run.sh`);
      world.ran(shell, homebrew('gh'), 'auth', 'status');
      world.ended(shell);
    },
  },
  {
    name: 'a shell keeps its history, and a person works in it',
    weight: 8,
    play(world) {
      const { user, shell } = terminal(world);
      for (let left = world.number(4, 15); left > 0; left--)
        world.ran(
          shell,
          apple(
            world.pick([
              '/bin/ls',
              '/bin/cat',
              '/usr/bin/grep',
              '/usr/bin/less',
              '/usr/bin/find',
              '/usr/bin/awk',
              '/usr/bin/top',
              '/usr/bin/man',
              '/bin/ps',
              '/usr/bin/open',
            ]),
          ),
          world.hex(4),
        );
      const vim = world.started(shell, apple('/usr/bin/vim'), ['notes.md']);
      world.created(vim, `${user.home}/.notes.md.swp`);
      world.removed(vim, `${user.home}/.notes.md.swp`);
      world.changed(vim, `${user.home}/.viminfo`);
      world.ended(vim);
      world.replaced(shell, `${user.home}/.zsh_history`);
      world.replaced(shell, `${user.home}/.zcompdump`);
      if (world.chance() < 0.5) world.ran(shell, apple('/usr/bin/ssh'), 'build.example.com', 'uptime');
      world.replaced(shell, `${user.home}/.ssh/known_hosts`);
      world.ended(shell);
    },
  },
];
