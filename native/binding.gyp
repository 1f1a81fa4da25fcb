{
  # The only place that chooses sources by platform.
  'targets': [
    {
      'target_name': 'launchwarden',
      'sources': [
        'src/addon.cc',
        'src/js_es_client.cc',
        'src/js_file_calls.cc',
        'src/js_open_files.cc',
        'src/js_fs_source.cc',
        'src/js_processes.cc',
        'src/js_scanner.cc',
        'src/js_unified_log.cc',
        'src/core/arguments.cc',
        'src/core/channel.cc',
        'src/core/record.cc',
        'src/es/client.cc',
        'src/es/pack.cc',
        'src/fsevents/fs_filter.cc',
        'src/fsevents/fs_source.cc',
        'src/scan/hint_trust.cc',
        'src/scan/scanner.cc',
      ],
      'include_dirs': ['src', "<!(node -p \"require('node-addon-api').include_dir\")"],
      'defines': ['NAPI_VERSION=9', 'NODE_ADDON_API_CPP_EXCEPTIONS'],
      'cflags!': ['-fno-exceptions'],
      'cflags_cc!': ['-fno-exceptions', '-fno-rtti', '-std=gnu++17'],
      'cflags_cc': ['-std=gnu++20', '-fvisibility=hidden', '-Wall', '-Wextra', '-Wno-unused-parameter'],
      'conditions': [
        ['OS=="linux"', {
          'sources': [
            'src/linux/file_calls.cc',
            'src/linux/open_files.cc',
            'src/linux/pause.cc',
            'src/linux/process_reader.cc',
          ],
        }],
        # No EndpointSecurity and no FSEvents to have: the doubles that the tests script are built in instead.
        ['OS!="mac"', {
          'sources': [
            'src/stub/es_api.cc',
            'src/stub/fs_api.cc',
            'src/double/es_double.cc',
            'src/double/fs_double.cc',
            'src/double/js_double.cc',
            'src/double/js_fs_double.cc',
            'src/double/js_log_double.cc',
          ],
          'defines': ['LAUNCHWARDEN_DOUBLE'],
        }],
        ['OS=="mac"', {
          'sources': [
            'src/darwin/es_api.cc',
            'src/darwin/file_calls.cc',
            'src/darwin/fs_api.cc',
            'src/darwin/js_volumes.cc',
            'src/darwin/open_files.cc',
            'src/darwin/pause.cc',
            'src/darwin/process_reader.cc',
            'src/darwin/unified_log.cc',
          ],
          # The library does not exist before macOS 10.15 and is weakly linked, so that the rest loads without it.
          'link_settings': {
            'libraries': ['-weak-lEndpointSecurity', '-lbsm', '-framework CoreServices', '-framework CoreFoundation'],
          },
          'xcode_settings': {
            'GCC_ENABLE_CPP_EXCEPTIONS': 'YES',
            'CLANG_CXX_LANGUAGE_STANDARD': 'gnu++20',
            'CLANG_CXX_LIBRARY': 'libc++',
            'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
            'MACOSX_DEPLOYMENT_TARGET': '13.0',
          },
        }],
        ['OS!="linux" and OS!="mac"', {
          'sources': [
            'src/stub/file_calls.cc',
            'src/stub/open_files.cc',
            'src/stub/pause.cc',
            'src/stub/process_reader.cc',
          ],
        }],
      ],
    },
  ],
}
