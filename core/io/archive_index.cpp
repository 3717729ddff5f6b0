#include "tamiz/core/io/archive_index.hpp"

#include <hdf5.h>

#include "tamiz/core/base/hash.hpp"

namespace tamiz::detail {
namespace {

using hdf5::check;
using hdf5::Failure;
using hdf5::Handle;
using hdf5::Id;

static_assert(sizeof(hobj_ref_t) == sizeof(std::uint64_t));

const std::string k_block_hash = "block";

/// Binds content and place, so that neither a changed frame nor an exchanged one passes. Never zero: that is an empty row.
std::uint64_t check_of(std::size_t place, const std::string& hash) { return hash64(hash + ":" + std::to_string(place)) | 1u; }

Handle row_type(hid_t number) {
  Handle type(H5Tcreate(H5T_COMPOUND, 16), "make a type");
  check(H5Tinsert(type.get(), "frame", 0, H5T_STD_REF_OBJ), "make a type");
  check(H5Tinsert(type.get(), "check", 8, number), "make a type");
  return type;
}

}  // namespace

Handle ArchiveIndex::make_table(Id file, const char* name) {
  const hsize_t rows = k_rows;
  const Handle space(H5Screate_simple(1, &rows, nullptr), "make a data space");
  const Handle properties(H5Pcreate(H5P_DATASET_CREATE), "make properties");
  check(H5Pset_obj_track_times(properties.get(), 0), "leave out times");
  // Laid out and zeroed now: its place never changes.
  check(H5Pset_layout(properties.get(), H5D_CONTIGUOUS), "choose a layout");
  check(H5Pset_alloc_time(properties.get(), H5D_ALLOC_TIME_EARLY), "lay out a table");
  check(H5Pset_fill_time(properties.get(), H5D_FILL_TIME_ALLOC), "lay out a table");
  const Handle type = row_type(H5T_STD_U64LE);
  if (name != nullptr)
    return Handle(H5Dcreate2(file, name, type.get(), space.get(), H5P_DEFAULT, properties.get(), H5P_DEFAULT), "make a table");
  Handle table(H5Dcreate_anon(file, type.get(), space.get(), properties.get(), H5P_DEFAULT), "make a table");
  check(H5Oincr_refcount(table.get()), "keep a table");
  return table;
}

std::vector<ArchiveIndex::Entry> ArchiveIndex::read_table(Id table) {
  const Handle space(H5Dget_space(table), "read a data space"), type(H5Dget_type(table), "read a type");
  if (H5Sget_simple_extent_npoints(space.get()) != static_cast<hssize_t>(k_rows) || H5Tget_class(type.get()) != H5T_COMPOUND)
    throw Failure("a table of the index has another shape or type");
  std::vector<Entry> entries(k_rows);
  const Handle memory = row_type(H5T_NATIVE_UINT64);
  check(H5Dread(table, memory.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, entries.data()), "read a table");
  std::size_t n = 0;
  while (n < k_rows && (entries[n].reference != 0 || entries[n].check != 0)) ++n;
  for (std::size_t row = n; row < k_rows; ++row)
    if (entries[row].reference != 0 || entries[row].check != 0) throw Failure("an empty row of the index is followed by others");
  entries.resize(n);
  return entries;
}

void ArchiveIndex::write_row(Id table, std::size_t row, const Entry& entry) {
  const Handle space(H5Dget_space(table), "read a data space"), one(H5Screate(H5S_SCALAR), "make a data space");
  const hsize_t point = row;
  check(H5Sselect_elements(space.get(), H5S_SELECT_SET, 1, &point), "choose a row");
  const Handle memory = row_type(H5T_NATIVE_UINT64);
  check(H5Dwrite(table, memory.get(), one.get(), space.get(), H5P_DEFAULT, &entry), "write a row");
}

Handle ArchiveIndex::dereference(Id file, const Entry& entry) {
  const hobj_ref_t reference = entry.reference;
  return Handle(H5Rdereference2(file, H5P_DEFAULT, H5R_OBJECT, &reference), "follow a reference");
}

ArchiveIndex::Entry ArchiveIndex::entry_for(Id object, std::size_t place, const std::string& hash) {
  hobj_ref_t reference = 0;
  check(H5Rcreate(&reference, object, ".", H5R_OBJECT, -1), "make a reference");
  return {reference, check_of(place, hash)};
}

ArchiveIndex ArchiveIndex::create(Id file) {
  ArchiveIndex index;
  index.table_ = make_table(file, "index");
  return index;
}

ArchiveIndex ArchiveIndex::open(Id file) {
  ArchiveIndex index;
  index.table_ = Handle(H5Dopen2(file, "index", H5P_DEFAULT), "open the index");
  for (const Entry& block : read_table(index.table_.get())) {
    const std::size_t place = index.blocks_.size();
    if (block.check != check_of(place, k_block_hash)) throw Failure("the checksum of block " + std::to_string(place) + " of the index differs");
    if (index.entries_.size() != place * k_rows) throw Failure("a block of the index that is not full is followed by another");
    index.blocks_.push_back(dereference(file, block));
    for (const Entry& entry : read_table(index.blocks_.back().get())) index.entries_.push_back(entry);
  }
  index.entered_blocks_ = index.blocks_.size();
  return index;
}

void ArchiveIndex::reserve(Id file, std::size_t n) {
  if (size() + n > k_most_frames) throw Failure("an archive holds at most " + std::to_string(k_most_frames) + " frames");
  while (blocks_.size() * k_rows < size() + n) blocks_.push_back(make_table(file, nullptr));
}

void ArchiveIndex::add(Id group, const std::string& hash) {
  const std::size_t block = size() / k_rows;
  if (block == entered_blocks_) {
    write_row(table_.get(), block, entry_for(blocks_[block].get(), block, k_block_hash));
    ++entered_blocks_;
  }
  const Entry entry = entry_for(group, size(), hash);
  write_row(blocks_[block].get(), size() % k_rows, entry);
  entries_.push_back(entry);
}

Handle ArchiveIndex::open_frame(Id file, std::size_t k) const {
  Handle object = dereference(file, entries_[k]);
  if (H5Iget_type(object.get()) != H5I_GROUP) throw Failure("a reference of the index leads to something else than a frame");
  return object;
}

bool ArchiveIndex::matches(std::size_t k, const std::string& hash) const { return entries_[k].check == check_of(k, hash); }

}  // namespace tamiz::detail
