# Builds gems and a compact index of them in the directory given. Each line of the input is a gem:
# name, version, platform, and its dependencies as `name:requirement`, separated by tabs.
require "digest"
require "fileutils"
require "rubygems/package"

directory = File.expand_path(ARGV.fetch(0))
FileUtils.mkdir_p([File.join(directory, "gems"), File.join(directory, "info")])
write = lambda do |path, text|
  File.binwrite(File.join(directory, path), text)
  File.binwrite(File.join(directory, "#{path}.etag"), Digest::MD5.hexdigest(text))
end

lines = Hash.new { |hash, name| hash[name] = [] }
versions = Hash.new { |hash, name| hash[name] = [] }
$stdin.each_line(chomp: true) do |line|
  name, version, platform, *dependencies = line.split("\t")
  spec = Gem::Specification.new do |s|
    s.name = name
    s.version = version
    s.platform = platform
    s.summary = s.description = "test"
    s.authors = ["test"]
    s.files = []
    dependencies.each do |dependency|
      needed, requirement = dependency.split(":", 2)
      s.add_runtime_dependency(needed, *requirement.split("&"))
    end
  end
  path = File.join(directory, "gems", "#{spec.full_name}.gem")
  Gem::DefaultUserInteraction.use_ui(Gem::SilentUI.new) { Gem::Package.build(spec, true, false, path) }
  needs = spec.dependencies.sort_by(&:name).map do |needed|
    "#{needed.name}:#{needed.requirement.requirements.map { |operator, v| "#{operator} #{v}" }.join("&")}"
  end
  entry = platform == "ruby" ? version : "#{version}-#{platform}"
  lines[name] << "#{entry} #{needs.join(",")}|checksum:#{Digest::SHA256.file(path).hexdigest}"
  versions[name] << entry
end

lines.each { |name, of_gem| write.call("info/#{name}", "---\n#{of_gem.join("\n")}\n") }
listed = versions.map do |name, of_gem|
  "#{name} #{of_gem.join(",")} #{Digest::MD5.file(File.join(directory, "info", name)).hexdigest}"
end
write.call("versions", "created_at: 2024-01-01T00:00:00Z\n---\n#{listed.join("\n")}\n")
